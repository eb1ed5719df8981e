CREATE TABLE `audit_events` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`entity` text NOT NULL,
	`details` text NOT NULL,
	`request_id` text
);
--> statement-breakpoint
CREATE INDEX `audit_events_entity` ON `audit_events` (`entity`,`sequence`);--> statement-breakpoint
CREATE TABLE `bindings` (
	`build_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`source` text NOT NULL,
	`lease_id` text,
	PRIMARY KEY(`build_id`, `connector_id`)
);
--> statement-breakpoint
CREATE TABLE `builds` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`profile` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`renewable_until` integer NOT NULL,
	`closed_at` integer
);
--> statement-breakpoint
CREATE INDEX `builds_created` ON `builds` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `builds_expiry` ON `builds` (`state`,`expires_at`);--> statement-breakpoint
CREATE TABLE `data_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`owner_id` text NOT NULL,
	`kid` text NOT NULL,
	`wrapped` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `data_keys_owner` ON `data_keys` (`owner_id`);--> statement-breakpoint
CREATE INDEX `data_keys_kid` ON `data_keys` (`kid`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`principal` text NOT NULL,
	`key` text NOT NULL,
	`request_hash` text NOT NULL,
	`build_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`principal`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_created` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`entity_id` text NOT NULL,
	`state` text NOT NULL,
	`run_after` integer NOT NULL,
	`attempts` integer NOT NULL,
	`locked_by` text,
	`locked_until` integer,
	`fence` integer NOT NULL,
	`last_error` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `jobs_due` ON `jobs` (`state`,`run_after`);--> statement-breakpoint
CREATE INDEX `jobs_entity` ON `jobs` (`entity_id`);--> statement-breakpoint
CREATE TABLE `leases` (
	`id` text PRIMARY KEY NOT NULL,
	`build_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`state` text NOT NULL,
	`grade` text NOT NULL,
	`handle` text NOT NULL,
	`options` text,
	`env` text,
	`org_key_version` integer,
	`issued_at` integer,
	`expires_at` integer NOT NULL,
	`attempts` integer NOT NULL,
	`last_error` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `leases_build` ON `leases` (`build_id`,`connector_id`);--> statement-breakpoint
CREATE INDEX `leases_connector` ON `leases` (`connector_id`,`state`);--> statement-breakpoint
CREATE TABLE `org_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` text NOT NULL,
	`connector_id` text NOT NULL,
	`version` integer NOT NULL,
	`state` text NOT NULL,
	`fields` text NOT NULL,
	`fingerprint` text NOT NULL,
	`facts` text NOT NULL,
	`last_check` text NOT NULL,
	`put_at` integer NOT NULL,
	`checked_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `org_keys_version` ON `org_keys` (`organization_id`,`connector_id`,`version`);--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`hash` text NOT NULL,
	`name` text NOT NULL,
	`scopes` text NOT NULL,
	`build_id` text,
	`single_use` integer NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`used_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_build` ON `tokens` (`build_id`);--> statement-breakpoint
CREATE INDEX `tokens_created` ON `tokens` (`created_at`,`id`);