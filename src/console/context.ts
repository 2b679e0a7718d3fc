import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../base/caller.js';
import { Problem } from '../base/problems.js';
import type { Database } from '../database/database.js';
import { mayCall } from '../http/access.js';
import { reason } from '../http/schemas.js';
import type { Signature } from '../operate/audit.js';
import type { Outbox } from '../outbox/outbox.js';
import { type Assets, findAssets } from './assets.js';
import { Banners } from './banners.js';
import type { ConsoleOptions } from './options.js';
import { type PageOptions, sendPage } from './page.js';
import { fieldsOf } from './request.js';
import { languageOf, themeOf, type Visitor } from './session.js';

const REFRESH_S = 5;

/** What every page needs: who looks, how to answer, what to warn of. */
export class ConsoleContext {
  readonly #visitors = new WeakMap<FastifyRequest, Visitor>();
  readonly #banners: Banners;
  readonly #assets: Assets = findAssets();

  constructor(readonly options: ConsoleOptions) {
    this.#banners = new Banners(options.reading, options.readOnly);
  }

  get reading(): Database {
    return this.options.reading;
  }

  get database(): Database {
    return this.options.database;
  }

  get outbox(): Outbox {
    return this.options.outbox;
  }

  remember(request: FastifyRequest, visitor: Visitor): void {
    this.#visitors.set(request, visitor);
  }

  find(request: FastifyRequest): Visitor | null {
    return this.#visitors.get(request) ?? null;
  }

  visitor(request: FastifyRequest): Visitor {
    const visitor = this.find(request);
    if (!visitor) throw new Problem('unauthorized');
    return visitor;
  }

  /** Who acts, for the audit. Throws Problem `forbidden` for who may not; `roles`: of the act, where it is not everybody on call. */
  act(request: FastifyRequest, reason: string | null, roles?: readonly Role[]): Signature {
    const { caller, mayAct, words: w } = this.visitor(request);
    if (roles ? !mayCall(caller.role, roles) : !mayAct)
      throw new Problem('forbidden', { detail: w.viewerOnly });
    return { actor: caller.sub, role: caller.role, requestId: request.id, ip: request.ip, reason };
  }

  /** The reason that the form must give. */
  reasonOf(request: FastifyRequest): string {
    const parsed = reason.safeParse(fieldsOf(request).reason?.trim());
    if (!parsed.success) throw new Problem('validation', { detail: this.visitor(request).words.reason });
    return parsed.data;
  }

  send(request: FastifyRequest, reply: FastifyReply, options: PageOptions): FastifyReply {
    const { environment, linkPrefix: prefix } = this.options;
    const looks = {
      visitor: this.find(request),
      language: languageOf(request),
      theme: themeOf(request),
      environment,
      prefix,
      assets: this.#assets,
    };
    return sendPage(reply, looks, options);
  }

  /** A page that refreshes itself, with the banners above it. */
  async page(request: FastifyRequest, reply: FastifyReply, options: PageOptions): Promise<FastifyReply> {
    // A banner that cannot be read must not cost the page.
    const banners = await this.#banners.read(this.visitor(request)).catch(() => []);
    return this.send(request, reply, { banners, refreshS: REFRESH_S, ...options });
  }

  redirect(reply: FastifyReply, path: string): FastifyReply {
    return reply.redirect(`${this.options.linkPrefix}${path}`, 303);
  }
}
