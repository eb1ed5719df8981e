-- What waited for a person was called "needs hands". Audit rows keep their words: they are hashed.
ALTER TABLE `jobs` RENAME COLUMN `hands` TO `required_action`;--> statement-breakpoint
UPDATE `jobs` SET `state` = 'requires_action' WHERE `state` = 'needs_hands';--> statement-breakpoint
UPDATE `leases` SET `state` = 'requires_action' WHERE `state` = 'needs_hands';
