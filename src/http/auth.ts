import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { type Caller, isPersonId, type Role, roles } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import { AuthFailures } from './failures.js';

export interface AuthOptions {
  readonly secret: string | undefined;
  readonly jwksUrl: string | undefined;
  /** Must be the token's `iss`, and among its `aud`. Undefined: not asked. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly failures?: AuthFailures;
}

/** Turns an Authorization header, from this address, into a caller. Throws Problem `unauthorized`, `forbidden` or `rate-limited`. */
export type Authenticate = (authorization: string | undefined, address: string) => Promise<Caller>;

const CLOCK_TOLERANCE_S = 5;
export const TOKEN_MAX_S = 30 * 86_400;
const TOKEN_MAX_CHARACTERS = 8_192;
const FAILURES_PER_MINUTE = 60;
const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const claims = z.object({
  sub: z.string().refine(isPersonId),
  role: z.string(),
  exp: z.number(),
  iat: z.number().nullish(),
  email: z.string().max(254, { abort: true }).pipe(z.email()).nullish().catch(null),
  name: z.string().max(128).nullish().catch(null),
});

/** With neither a secret nor a key set configured nothing is open: every token is refused. */
export function createAuthenticate(options: AuthOptions): Authenticate {
  const verify = createVerify(options);
  const failures = options.failures ?? new AuthFailures(FAILURES_PER_MINUTE, null);

  return async (authorization, address) => {
    const token =
      (authorization?.length ?? 0) <= TOKEN_MAX_CHARACTERS
        ? /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1]
        : undefined;
    if (authorization !== undefined) failures.refuse(address, token ?? '');
    try {
      if (!token) throw new Problem('unauthorized');
      const payload = await verify(token);
      failures.prove(token);
      return callerOf(payload);
    } catch (error) {
      if (error instanceof Problem && error.code === 'forbidden') throw error;
      if (options.jwksUrl && isKeySetAway(error))
        throw new Problem('dependency-unavailable', {
          detail: 'the keys of tokens cannot be had',
          retryAfterS: 5,
          cause: error,
        });
      // A genuine token that has run out is nobody's guess; nor is none at all.
      if (authorization !== undefined && !(error instanceof errors.JWTExpired)) failures.count(address);
      throw error instanceof Problem
        ? error
        : new Problem('unauthorized', { detail: 'the token is not valid' });
    }
  };
}

function createVerify({
  secret,
  jwksUrl,
  issuer,
  audience,
}: AuthOptions): (token: string) => Promise<JWTPayload> {
  const rules: JWTVerifyOptions = {
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp', 'sub'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  // Imported once: given as bytes, it would be imported again for each token.
  const key = secret
    ? crypto.subtle.importKey(
        'raw',
        new TextEncoder().encode(secret),
        { name: 'HMAC', hash: 'SHA-256' },
        false,
        ['verify'],
      )
    : undefined;
  const keySet = jwksUrl ? createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3_000 }) : undefined;
  return async (token) => {
    if (keySet) return (await jwtVerify(token, keySet, { ...rules, algorithms: ASYMMETRIC })).payload;
    if (key) return (await jwtVerify(token, await key, { ...rules, algorithms: ['HS256'] })).payload;
    throw new Error('no key is configured');
  };
}

/** The key set could not be fetched, or read: that says nothing of the token. */
function isKeySetAway(error: unknown): boolean {
  if (error instanceof Problem) return false;
  const known = error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC';
  return !known || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
}

function callerOf(payload: JWTPayload): Caller {
  const parsed = claims.safeParse(payload);
  if (!parsed.success)
    throw new Problem('unauthorized', { detail: 'the token lacks sub, role or exp, or they are not clean' });
  const { sub, exp, iat, email, name } = parsed.data;
  const nowS = Date.now() / 1000;
  if (exp > nowS + TOKEN_MAX_S + CLOCK_TOLERANCE_S)
    throw new Problem('unauthorized', { detail: 'the token is valid for more than 30 days' });
  // Not compared with our clock: an issuer whose clock is ahead issues good tokens, and `exp` bounds them.
  if (iat && iat > exp) throw new Problem('unauthorized', { detail: 'the token was issued after its end' });
  const role = roles.find((known) => known === parsed.data.role);
  if (!role) throw new Problem('forbidden', { detail: 'the role of this token is not known here' });
  return { sub, role, email: email ?? null, name: name ?? null };
}

export interface TokenRequest {
  readonly sub: string;
  readonly role: Role;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  /** Seconds. */
  readonly ttlS: number;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

export async function signToken(
  secret: string,
  { sub, role, email, name, ttlS, issuer, audience }: TokenRequest,
): Promise<string> {
  const token = new SignJWT({ role, ...(email ? { email } : {}), ...(name ? { name } : {}) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(`${ttlS}s`);
  if (issuer) token.setIssuer(issuer);
  if (audience) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}
