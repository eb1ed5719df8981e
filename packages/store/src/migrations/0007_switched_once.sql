-- A build that was ever switched keeps what its user saved until `renewable_until`: going back does not end that.
UPDATE `builds` SET `state` = 'handing_off' WHERE `state` = 'ready' AND `id` IN (SELECT `entity` FROM `audit_events` WHERE `action` = 'keys.swapped');
