CREATE TABLE `written_objects` (
	`user_key_id` text NOT NULL,
	`name_hash` text NOT NULL,
	`build_id` text NOT NULL,
	`sha256` text NOT NULL,
	PRIMARY KEY(`user_key_id`, `name_hash`)
);
--> statement-breakpoint
CREATE INDEX `written_objects_build` ON `written_objects` (`build_id`);