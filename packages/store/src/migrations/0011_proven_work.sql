ALTER TABLE `archives` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `bindings` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `handoffs` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `idempotency_keys` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `leases` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `org_keys` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `person_browsers` ADD `ends_at` integer;--> statement-breakpoint
ALTER TABLE `start_overs` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `tokens` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `transfers` ADD `asked_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `transfers` ADD `mac` text;--> statement-breakpoint
ALTER TABLE `written_objects` ADD `mac` text;--> statement-breakpoint
UPDATE `transfers` SET `asked_at` = `created_at`;--> statement-breakpoint
-- What moves a lease to the newest org key is one thing, what gives it new credentials another.
UPDATE `jobs` SET `kind` = 'plan-rekey' WHERE `kind` = 'plan-reissue';--> statement-breakpoint
UPDATE `jobs` SET `kind` = 'rekey' WHERE `kind` = 'reissue';--> statement-breakpoint
UPDATE `jobs` SET `kind` = 'rotate' WHERE `kind` = 'rotate-credentials';
