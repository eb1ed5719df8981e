CREATE INDEX `leases_created` ON `leases` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `leases_state` ON `leases` (`state`,`created_at`,`id`);