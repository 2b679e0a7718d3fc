import { now, type Sql, sql } from '../database/sql.js';

/** Part of every claim: an event whose type is paused is not claimed; nothing else about it changes. */
export const notPaused: Sql = sql`AND type NOT IN (SELECT type FROM event_pause WHERE until_at > ${now} AND ended_at IS NULL)`;
