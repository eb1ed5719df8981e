ALTER TABLE `organizations` ADD `audit_state` text;--> statement-breakpoint
ALTER TABLE `signing_keys` ADD `mac` text;