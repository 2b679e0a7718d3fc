import { join, raw, type Sql, sql } from '../database/sql.js';

/**
 * What the pages ask in SQL: looks that are bounded before they are filtered, unions of looks by several
 * indexes, and rows by the thousand. Each reads a bounded number of rows (test/console/bounded.test.ts).
 */

/** Of the 200 alerts that were touched last (index alert_last_at): an open one that no message has told since. */
export function untoldAlert(firstBefore: Date): Sql {
  return sql`
    SELECT id FROM (SELECT * FROM alert ORDER BY last_at DESC LIMIT 200) AS latest
    WHERE status = 'open' AND known_at IS NULL AND sent_at IS NULL AND first_at < ${firstBefore} LIMIT 1`;
}

/** Index alert_occurrence_of_alert. Rows: as many entities would hold up the process for a tenth of a second. */
export function newestOccurrences(alertId: string, max: number): Sql {
  return sql`
    SELECT at, event_id, subject_id, subject_no FROM alert_occurrence WHERE alert_id = ${alertId} ORDER BY id DESC LIMIT ${raw(String(max))}`;
}

/** Pending events of a type, counted up to `max`, and when the first is due. Index outbox_event_status_type. */
export function pendingOfType(type: string, max: number): Sql {
  return sql`
    SELECT MIN(queue_at) AS queue_at, COUNT(*) AS n FROM (SELECT queue_at FROM outbox_event WHERE type = ${type} AND status = 'pending' AND settled_at IS NULL LIMIT ${raw(String(max))}) AS counted`;
}

/** Indexes box_order_no, box_order_meican_order_id, box_order_of_user. */
export function ordersCalled(orderNo: string, text: string, max: number): Sql {
  const columns = raw('id, order_no, status');
  return sql`
    SELECT ${columns} FROM box_order WHERE order_no = ${orderNo}
    UNION SELECT ${columns} FROM box_order WHERE meican_order_id = ${text}
    UNION SELECT ${columns} FROM (SELECT ${columns} FROM box_order WHERE user_id = ${text} ORDER BY id DESC LIMIT ${raw(String(max))}) AS of_user`;
}

/** By the primary key and the indexes outbox_event_subject_no, outbox_event_request and outbox_event_trace. */
export function eventsCalled(id: string, text: string, trace: string | undefined, max: number): Sql {
  const columns = raw('id, type, status, subject_no');
  const newest = (condition: Sql, name: string) =>
    sql`SELECT ${columns} FROM (SELECT ${columns} FROM outbox_event WHERE ${condition} ORDER BY id DESC LIMIT ${raw(String(max))}) AS ${raw(name)}`;
  const looks = [
    sql`SELECT ${columns} FROM outbox_event WHERE id = ${id}`,
    newest(sql`subject_no = ${text}`, 'of_subject'),
    newest(sql`request_id = ${text}`, 'of_request'),
  ];
  if (trace)
    looks.push(newest(sql`traceparent >= ${`00-${trace}-`} AND traceparent < ${`00-${trace}.`}`, 'of_trace'));
  return join(looks, ' UNION ');
}
