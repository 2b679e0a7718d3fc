import type { MigrationInterface, QueryRunner } from 'typeorm';
import { columnTypes } from '../column-types.js';
import { repeatable } from './repeatable.js';

/** Every table of the first release. Columns are documented in the entities. */
export class Initial1763683200000 implements MigrationInterface {
  readonly name = 'Initial1763683200000';

  async up(runner: QueryRunner): Promise<void> {
    const { id, ref, instant, text, longText, flag } = columnTypes(runner);
    const { table, index } = repeatable(runner);

    await table(
      'menu',
      id,
      'garden VARCHAR(64) NOT NULL',
      'edible_date CHAR(10) NOT NULL',
      'meal_type VARCHAR(16) NOT NULL',
      'corp VARCHAR(64) NOT NULL',
      `cutoff_at ${instant} NOT NULL`,
      `created_at ${instant} NOT NULL`,
      `updated_at ${instant} NOT NULL`,
    );
    await index('menu_day', 'menu', 'garden, edible_date, meal_type', true);

    await table(
      'box_dish',
      id,
      `menu_id ${ref} NOT NULL`,
      'meican_dish_id VARCHAR(64) NOT NULL',
      'name VARCHAR(200) NOT NULL',
      'price_in_cent INT NOT NULL',
      'stock INT NOT NULL',
      'remaining INT NOT NULL',
      `withdrawn ${flag}`,
      'CONSTRAINT box_dish_stock CHECK (remaining >= 0 AND remaining <= stock)',
    );
    await index('box_dish_of_menu', 'box_dish', 'menu_id, meican_dish_id', true);

    await table(
      'box_sideboard',
      id,
      `menu_id ${ref} NOT NULL`,
      'location VARCHAR(200) NOT NULL',
      'address_id VARCHAR(64) NOT NULL',
      'capacity INT NOT NULL',
      'remaining INT NOT NULL',
      `withdrawn ${flag}`,
      'CONSTRAINT box_sideboard_stock CHECK (remaining >= 0 AND remaining <= capacity)',
    );
    await index('box_sideboard_of_menu', 'box_sideboard', 'menu_id, location', true);

    await table(
      'box_order',
      id,
      'order_no VARCHAR(32) NOT NULL',
      'user_id VARCHAR(128) NOT NULL',
      'email VARCHAR(254) NOT NULL',
      'real_name VARCHAR(128) NOT NULL',
      'garden VARCHAR(64) NOT NULL',
      'corp VARCHAR(64) NOT NULL',
      'status VARCHAR(16) NOT NULL',
      `dish_id ${ref} NOT NULL`,
      'dish_name VARCHAR(200) NOT NULL',
      'meican_dish_id VARCHAR(64) NOT NULL',
      `sideboard_id ${ref} NOT NULL`,
      'address_id VARCHAR(64) NOT NULL',
      'edible_date CHAR(10) NOT NULL',
      'meal_type VARCHAR(16) NOT NULL',
      `cutoff_at ${instant} NOT NULL`,
      'price_in_cent INT NOT NULL',
      'live_key VARCHAR(200) NULL',
      'meican_order_id VARCHAR(64) NULL',
      `meican_cancelled_at ${instant} NULL`,
      'refund VARCHAR(8) NOT NULL',
      'operator VARCHAR(128) NULL',
      'cancel_reason VARCHAR(500) NULL',
      'guard_event_id VARCHAR(20) NULL',
      'request_id VARCHAR(64) NULL',
      `created_at ${instant} NOT NULL`,
      `updated_at ${instant} NOT NULL`,
    );
    await index('box_order_no', 'box_order', 'order_no', true);
    await index('box_order_live_key', 'box_order', 'live_key', true);
    await index('box_order_meican_order_id', 'box_order', 'meican_order_id', true);
    await index('box_order_of_user', 'box_order', 'user_id');
    await index('box_order_of_day', 'box_order', 'edible_date, status');
    await index('box_order_of_status', 'box_order', 'status');

    await table(
      'order_step',
      id,
      `order_id ${ref} NOT NULL`,
      `at ${instant} NOT NULL`,
      'kind VARCHAR(48) NOT NULL',
      `detail ${text} NOT NULL`,
    );
    await index('order_step_of_order', 'order_step', 'order_id');

    await table('order_counter', 'business_day CHAR(8) NOT NULL PRIMARY KEY', 'seq INT NOT NULL');

    await table(
      'outbox_event',
      id,
      'type VARCHAR(64) NOT NULL',
      'status VARCHAR(10) NOT NULL',
      'subject_id VARCHAR(64) NULL',
      'subject_no VARCHAR(64) NULL',
      `payload ${text} NOT NULL`,
      'payload_version INT NOT NULL',
      'dedupe_key VARCHAR(191) NOT NULL',
      'ordering_key VARCHAR(128) NULL',
      'attempt INT NOT NULL DEFAULT 0',
      'failures INT NOT NULL DEFAULT 0',
      'interruptions INT NOT NULL DEFAULT 0',
      `run_at ${instant} NOT NULL`,
      `queue_at ${instant} NULL`,
      `lease_until ${instant} NULL`,
      'claimed_by VARCHAR(100) NULL',
      `deadline_at ${instant} NULL`,
      `snooze_since ${instant} NULL`,
      `unknown_at ${instant} NULL`,
      'outcome VARCHAR(12) NULL',
      'last_error_code VARCHAR(64) NULL',
      'last_error_message VARCHAR(500) NULL',
      'cause VARCHAR(191) NULL',
      'request_id VARCHAR(64) NULL',
      'traceparent VARCHAR(64) NULL',
      `created_at ${instant} NOT NULL`,
      `settled_at ${instant} NULL`,
    );
    await index('outbox_event_dedupe_key', 'outbox_event', 'dedupe_key', true);
    await index('outbox_event_queue', 'outbox_event', 'queue_at, id');
    await index('outbox_event_ordering_key', 'outbox_event', 'ordering_key, status');
    await index('outbox_event_subject', 'outbox_event', 'subject_id');
    await index('outbox_event_subject_no', 'outbox_event', 'subject_no');
    await index('outbox_event_status_type', 'outbox_event', 'status, type, settled_at');
    await index('outbox_event_settled', 'outbox_event', 'status, settled_at');
    await index('outbox_event_cause', 'outbox_event', 'cause, status');

    await table(
      'event_attempt',
      `event_id ${ref} NOT NULL`,
      'number INT NOT NULL',
      '`trigger` VARCHAR(8) NOT NULL',
      'worker VARCHAR(100) NOT NULL',
      `started_at ${instant} NOT NULL`,
      `finished_at ${instant} NULL`,
      'duration_ms INT NULL',
      'outcome VARCHAR(12) NULL',
      'decision VARCHAR(200) NULL',
      'error_code VARCHAR(64) NULL',
      'error_message VARCHAR(500) NULL',
      `exchanges ${longText} NULL`,
      'PRIMARY KEY (event_id, number)',
    );

    await table(
      'idempotency_record',
      'scope_hash CHAR(64) NOT NULL PRIMARY KEY',
      'caller VARCHAR(160) NOT NULL',
      'operation VARCHAR(64) NOT NULL',
      'body_hash CHAR(64) NOT NULL',
      'state VARCHAR(12) NOT NULL',
      'owner VARCHAR(64) NOT NULL',
      `locked_until ${instant} NOT NULL`,
      'subject_ids VARCHAR(2000) NULL',
      'response_status INT NULL',
      `response_body ${longText} NULL`,
      `created_at ${instant} NOT NULL`,
    );
    await index('idempotency_record_created', 'idempotency_record', 'created_at');

    await table(
      'alert',
      id,
      'group_key VARCHAR(191) NOT NULL',
      'kind VARCHAR(32) NOT NULL',
      'status VARCHAR(10) NOT NULL',
      'title VARCHAR(200) NOT NULL',
      'cause VARCHAR(500) NOT NULL',
      'event_type VARCHAR(64) NULL',
      'occurrences INT NOT NULL',
      'unsent INT NOT NULL',
      'round INT NOT NULL',
      `first_at ${instant} NOT NULL`,
      `last_at ${instant} NOT NULL`,
      `sent_at ${instant} NULL`,
      `recovered_at ${instant} NULL`,
    );
    await index('alert_group_key', 'alert', 'group_key', true);
    await index('alert_last_at', 'alert', 'last_at');
    await table(
      'alert_occurrence',
      id,
      `alert_id ${ref} NOT NULL`,
      'event_id VARCHAR(20) NULL',
      'subject_id VARCHAR(64) NULL',
      'subject_no VARCHAR(64) NULL',
      `at ${instant} NOT NULL`,
    );
    await index('alert_occurrence_of_alert', 'alert_occurrence', 'alert_id');
    await index('alert_occurrence_of_subject', 'alert_occurrence', 'subject_id');
    await table(
      'alert_message',
      id,
      'robot VARCHAR(64) NOT NULL',
      `alert_id ${ref} NULL`,
      'kind VARCHAR(12) NOT NULL',
      `content ${text} NOT NULL`,
      `slot_at ${instant} NOT NULL`,
      `sent_at ${instant} NULL`,
    );
    await index('alert_message_slot', 'alert_message', 'robot, slot_at');
    await index('alert_message_of_alert', 'alert_message', 'alert_id');
    await table('alert_robot', 'name VARCHAR(64) NOT NULL PRIMARY KEY', 'slots_taken INT NOT NULL');
    // Created here once: a lock row that is created lazily is itself a source of deadlocks.
    const [robot] = (await runner.query("SELECT name FROM alert_robot WHERE name = 'on-call'")) as {
      name: string;
    }[];
    if (!robot) await runner.query("INSERT INTO alert_robot (name, slots_taken) VALUES ('on-call', 0)");

    await table(
      'operator_action',
      id,
      `at ${instant} NOT NULL`,
      'actor VARCHAR(128) NOT NULL',
      'role VARCHAR(16) NOT NULL',
      'verb VARCHAR(32) NOT NULL',
      'target_type VARCHAR(16) NOT NULL',
      'target_id VARCHAR(64) NOT NULL',
      'subject_id VARCHAR(64) NULL',
      'reason VARCHAR(500) NULL',
      `state_before ${text} NULL`,
      `state_after ${text} NULL`,
      'request_id VARCHAR(64) NULL',
    );
    await index('operator_action_target', 'operator_action', 'target_type, target_id');
    await index('operator_action_subject', 'operator_action', 'subject_id');

    await table(
      'canteen_consumption',
      id,
      'record_no VARCHAR(64) NOT NULL',
      'user_id VARCHAR(128) NOT NULL',
      'amount_in_cent INT NOT NULL',
      'canteen VARCHAR(128) NOT NULL',
      `consumed_at ${instant} NOT NULL`,
      'status VARCHAR(8) NOT NULL',
      'event_id VARCHAR(20) NOT NULL',
      `created_at ${instant} NOT NULL`,
      `updated_at ${instant} NOT NULL`,
    );
    await index('canteen_consumption_record_no', 'canteen_consumption', 'record_no', true);

    await table(
      'coffee_trade',
      id,
      'trade_no VARCHAR(64) NOT NULL',
      'out_trade_no VARCHAR(64) NOT NULL',
      'user_id VARCHAR(128) NOT NULL',
      'amount_in_cent INT NOT NULL',
      'reason VARCHAR(500) NULL',
      'status VARCHAR(8) NOT NULL',
      'event_id VARCHAR(20) NOT NULL',
      `created_at ${instant} NOT NULL`,
      `updated_at ${instant} NOT NULL`,
    );
    await index('coffee_trade_no', 'coffee_trade', 'trade_no', true);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of [
      'coffee_trade',
      'canteen_consumption',
      'operator_action',
      'alert_robot',
      'alert_message',
      'alert_occurrence',
      'alert',
      'idempotency_record',
      'event_attempt',
      'outbox_event',
      'order_counter',
      'order_step',
      'box_order',
      'box_sideboard',
      'box_dish',
      'menu',
    ]) {
      await runner.query(`DROP TABLE IF EXISTS ${name}`);
    }
  }
}
