CREATE TABLE `archives` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`lease_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`state` text NOT NULL,
	`location` text NOT NULL,
	`bytes` integer,
	`sha256` text,
	`summary` text,
	`scratch_handle` text,
	`created_at` integer NOT NULL,
	`verified_at` integer,
	`dropped_at` integer,
	`restored_at` integer,
	`restored_lease_id` text,
	`last_error` text
);
--> statement-breakpoint
CREATE INDEX `archives_build` ON `archives` (`build_id`);--> statement-breakpoint
CREATE INDEX `archives_lease` ON `archives` (`lease_id`);--> statement-breakpoint
CREATE TABLE `audit_heads` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`at` integer NOT NULL,
	`signed` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `provider_limits` (
	`connector_id` text PRIMARY KEY NOT NULL,
	`paused_until` integer NOT NULL,
	`window_start` integer NOT NULL,
	`used` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `schedules` (
	`name` text PRIMARY KEY NOT NULL,
	`due_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`public_key` text NOT NULL,
	`private_key` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `transfers` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`lease_id` text NOT NULL,
	`user_key_id` text NOT NULL,
	`overwrite` integer NOT NULL,
	`progress` text,
	`frozen_at` integer,
	`receipt` text,
	`started_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`last_error` text
);
--> statement-breakpoint
CREATE INDEX `transfers_build` ON `transfers` (`build_id`,`connector_id`);--> statement-breakpoint
ALTER TABLE `audit_events` ADD `previous_hash` text;--> statement-breakpoint
ALTER TABLE `audit_events` ADD `hash` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `build_id` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `connector_id` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `payload` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `hands` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `ended_at` integer;--> statement-breakpoint
CREATE INDEX `jobs_build` ON `jobs` (`build_id`);--> statement-breakpoint
CREATE INDEX `jobs_created` ON `jobs` (`created_at`,`id`);--> statement-breakpoint
ALTER TABLE `leases` ADD `usage` text;--> statement-breakpoint
ALTER TABLE `org_keys` ADD `proven_dead_at` integer;--> statement-breakpoint
ALTER TABLE `org_keys` ADD `reminded_at` integer;