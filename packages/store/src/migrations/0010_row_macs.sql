ALTER TABLE `audit_events` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `person_browsers` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `persons` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `user_keys` ADD `mac` text;