-- The rights of the processes' user, so that what people did by hand can be added to and never changed.
-- Run migrations as another user (`DATABASE_URL=… node dist/cli.js migrate`). Replace the name of the database and of the user.
GRANT SELECT, INSERT ON lunchbox.operator_action TO 'lunchbox'@'%';
GRANT SELECT ON lunchbox.migrations TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.menu TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.box_dish TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.box_sideboard TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.box_order TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.order_step TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.order_counter TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.outbox_event TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.event_attempt TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.event_pause TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.event_batch TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.event_batch_item TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.process_heartbeat TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.idempotency_record TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.alert TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.alert_occurrence TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.alert_message TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.alert_robot TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE ON lunchbox.complaint TO 'lunchbox'@'%';
GRANT SELECT, INSERT ON lunchbox.complaint_review TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.canteen_consumption TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.coffee_trade TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.console_view TO 'lunchbox'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON lunchbox.console_sign_out TO 'lunchbox'@'%';
GRANT SELECT, INSERT ON lunchbox.installation TO 'lunchbox'@'%';
