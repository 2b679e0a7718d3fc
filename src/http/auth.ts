import { createRemoteJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { type Caller, type Role, roles } from '../orders/caller.js';
import { Problem } from '../problems.js';

export interface AuthOptions {
  readonly secret: string | undefined;
  readonly jwksUrl: string | undefined;
}

/** Turns an Authorization header into a caller. Throws Problem `unauthorized` or `forbidden`. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

const CLOCK_TOLERANCE_S = 5;
const claims = z.object({
  sub: z.string().min(1).max(128),
  role: z.string(),
  email: z.email().max(254).nullish().catch(null),
  name: z.string().max(128).nullish().catch(null),
});

/** With neither a secret nor a key set configured nothing is open: every token is refused. */
export function createAuthenticate({ secret, jwksUrl }: AuthOptions): Authenticate {
  // Imported once: given as bytes, it would be imported again for each token.
  const key = secret ? crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']) : undefined;
  const keySet = jwksUrl ? createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3_000 }) : undefined;

  const verify = async (token: string): Promise<JWTPayload> => {
    if (keySet) return (await jwtVerify(token, keySet, { algorithms: ['RS256', 'ES256', 'EdDSA', 'PS256'], clockTolerance: CLOCK_TOLERANCE_S })).payload;
    if (key) return (await jwtVerify(token, await key, { algorithms: ['HS256'], clockTolerance: CLOCK_TOLERANCE_S })).payload;
    throw new Error('no key is configured');
  };

  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1];
    if (!token) throw new Problem('unauthorized');
    const payload = await verify(token).catch(() => {
      throw new Problem('unauthorized', { detail: 'the token is not valid' });
    });
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw new Problem('unauthorized', { detail: 'the token lacks sub or role' });
    const role = roles.find((known) => known === parsed.data.role);
    if (!role) throw new Problem('forbidden', { detail: 'the role of this token is not known here' });
    return { sub: parsed.data.sub, role, email: parsed.data.email ?? null, name: parsed.data.name ?? null };
  };
}

export interface TokenRequest {
  readonly sub: string;
  readonly role: Role;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  /** Seconds. */
  readonly ttlS: number;
}

export async function signToken(secret: string, { sub, role, email, name, ttlS }: TokenRequest): Promise<string> {
  return new SignJWT({ role, ...(email ? { email } : {}), ...(name ? { name } : {}) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(`${ttlS}s`)
    .sign(new TextEncoder().encode(secret));
}
