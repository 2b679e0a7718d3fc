export const roles = ['user', 'service', 'viewer', 'manager', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What people on call may do, by role. What is not listed is refused. */
export const verbs = {
  look: ['viewer', 'operator', 'admin'],
  /** Orders and complaints alone. */
  'look-at-orders': ['viewer', 'manager', 'operator', 'admin'],
  act: ['operator', 'admin'],
  /** Decide about complaints: money is granted by two managers, not by who mends events. */
  review: ['manager'],
  /** Start a bulk act of more than a thousand events without a second person. */
  'act-on-many-alone': ['admin'],
} as const satisfies Record<string, readonly Role[]>;

export function may(role: Role, verb: keyof typeof verbs): boolean {
  return (verbs[verb] as readonly Role[]).includes(role);
}

/** Characters that a person can see, in one spelling (NFC); nothing that hides, turns or imitates. */
const SEEN =
  /^[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]+( +[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]+)*$/u;
const PERSON_ID_MAX = 128;

/** May this text be the id of a person? Two ids that look the same are the same. At most 128 characters. */
export function isPersonId(text: string): boolean {
  return text.length <= PERSON_ID_MAX && text === text.normalize('NFC') && SEEN.test(text);
}

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
