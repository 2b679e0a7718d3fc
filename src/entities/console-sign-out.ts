import { Entity, Index } from 'typeorm';
import { Instant, KeyChars } from './columns.js';

/** A token that was signed out of the console, until it would have expired: all processes refuse it. */
@Entity('console_sign_out')
@Index('console_sign_out_expires', ['expiresAt'])
export class ConsoleSignOut {
  /** SHA-256. */
  @KeyChars('token_hash', 64) tokenHash!: string;
  @Instant('expires_at') expiresAt!: Date;
}
