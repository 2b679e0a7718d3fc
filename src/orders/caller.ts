export const roles = ['user', 'service', 'viewer', 'operator'] as const;
export type Role = (typeof roles)[number];

/** Who asks, as the token says. */
export interface Caller {
  /** The user id. */
  readonly sub: string;
  readonly role: Role;
  readonly email: string | null;
  readonly name: string | null;
}

/** May this caller see, or act on, what belongs to this user? A foreign order looks to a user like one that does not exist. */
export function mayReach(caller: Caller, userId: string): boolean {
  return caller.role !== 'user' || caller.sub === userId;
}
