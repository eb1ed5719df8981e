CREATE TABLE `person_browsers` (
	`hash` text NOT NULL,
	`person_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`hash`, `person_id`)
);
--> statement-breakpoint
CREATE INDEX `person_browsers_person` ON `person_browsers` (`person_id`);--> statement-breakpoint
CREATE TABLE `persons` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`identity` text,
	`recovery_hash` text NOT NULL,
	`allows` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`ending` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `persons_build` ON `persons` (`build_id`) WHERE ended_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX `persons_recovery` ON `persons` (`recovery_hash`);--> statement-breakpoint
CREATE INDEX `persons_of_build` ON `persons` (`build_id`);--> statement-breakpoint
CREATE TABLE `start_overs` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`session_id` text NOT NULL,
	`address` text,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `start_overs_waiting` ON `start_overs` (`build_id`) WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX `start_overs_build` ON `start_overs` (`build_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `start_overs_due` ON `start_overs` (`state`,`due_at`);--> statement-breakpoint
ALTER TABLE `bindings` ADD `preview` integer;--> statement-breakpoint
ALTER TABLE `bindings` ADD `user_reads` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `bindings` ADD `user_read_at` integer;--> statement-breakpoint
ALTER TABLE `builds` ADD `downloaded_at` integer;--> statement-breakpoint
ALTER TABLE `builds` ADD `lending_ended_at` integer;--> statement-breakpoint
ALTER TABLE `builds` ADD `admin_revert` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `opened_by` text DEFAULT 'link' NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `identity` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `person_id` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `address` text;--> statement-breakpoint
ALTER TABLE `user_keys` ADD `person_id` text;--> statement-breakpoint
UPDATE `sessions` SET `ended_at` = `last_used_at` WHERE `ended_at` IS NULL;
