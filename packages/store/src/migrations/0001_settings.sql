CREATE TABLE `fingerprints` (
	`fingerprint` text PRIMARY KEY NOT NULL,
	`entity_id` text NOT NULL,
	`variable` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `handoffs` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`hash` text NOT NULL,
	`user_ref` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`refused_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `handoffs_hash` ON `handoffs` (`hash`);--> statement-breakpoint
CREATE INDEX `handoffs_build` ON `handoffs` (`build_id`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`hash` text NOT NULL,
	`sealing_key` text NOT NULL,
	`opening_key` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_hash` ON `sessions` (`hash`);--> statement-breakpoint
CREATE INDEX `sessions_build` ON `sessions` (`build_id`);--> statement-breakpoint
CREATE TABLE `user_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`env` text NOT NULL,
	`previews` text NOT NULL,
	`fingerprint` text NOT NULL,
	`last_check` text NOT NULL,
	`saved_at` integer NOT NULL,
	`checked_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `user_keys_build` ON `user_keys` (`build_id`,`connector_id`);--> statement-breakpoint
ALTER TABLE `bindings` ADD `user_key_id` text;--> statement-breakpoint
ALTER TABLE `bindings` ADD `swapped_at` integer;--> statement-breakpoint
ALTER TABLE `builds` ADD `settings_version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `builds` ADD `revertible_until` integer;--> statement-breakpoint
ALTER TABLE `builds` ADD `finished_at` integer;