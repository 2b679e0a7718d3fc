import type { Call, Fault } from './fault.js';
import { canonical, type Fields, parseObject } from './fields.js';
import { type Delivery, misbehave } from './misbehave.js';
import { type Clock, type Random, type Reply, reply, type VendorRequest } from './vendor.js';
import { VendorModel } from './vendor-model.js';

export interface WeComOptions {
  readonly secrets: {
    readonly webhookKey: string;
    readonly corpId: string;
    readonly corpSecret: string;
    readonly agentId: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  /** Absent: every name is a member's. */
  readonly members?: ReadonlySet<string>;
}

/** `dropped`: answered as delivered and not delivered, for the limits of a member or for a fault. */
export interface Message {
  readonly at: number;
  readonly by: 'robot' | 'app';
  readonly to: readonly string[];
  readonly content: Fields;
  readonly fate: 'delivered' | 'dropped' | 'duplicate';
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const ROBOT_PER_MINUTE = 20;
const MEMBER_PER_MINUTE = 30;
const MEMBER_PER_HOUR = 1_000;
const TOKEN_SECONDS = 7_200;
const DUPLICATE_SECONDS = 1_800;
const CODE_MS = 300_000;

/** WeCom: the group robot, the token, the application's message and the sign-in's code, by the contract's page. */
export class WeCom extends VendorModel<WeComOptions> {
  readonly messages: Message[] = [];
  private robotBlockedUntil = 0;
  private tokens = 0;
  private token: { text: string; until: number } | null = null;
  private readonly signIns = new Map<string, { userid: string | undefined; until: number }>();

  constructor(options: WeComOptions) {
    super(options);
  }

  override deliver(request: VendorRequest, fault?: Fault): Delivery {
    const call = wecomCallOf(request);
    const mine = fault?.call === call ? fault : undefined;
    return misbehave(mine, this.clock, () => this.answer(call, request, mine));
  }

  /** A person has signed in at WeCom and comes back with this code; an outsider has no `userid`. */
  signIn(userid?: string): string {
    const code = `code${this.signIns.size + 1}-${Math.floor(this.options.random() * 1e9)}`;
    this.signIns.set(code, { userid, until: this.clock.now() + CODE_MS });
    return code;
  }

  voidToken(): void {
    this.token = null;
  }

  private answer(call: Call | undefined, request: VendorRequest, fault: Fault | undefined): Reply {
    const query = new URLSearchParams(/\?(.*)$/.exec(request.path)?.[1] ?? '');
    if (request.headers['x-sandbox-fault'] !== undefined) this.told.add(call ?? 'wecom', 'sandbox-header');
    if (fault?.kind === 'rate-limit') return judged(45009);
    if (fault?.kind === 'refused') return judged(Number(fault.code));
    switch (call) {
      case 'wecom.robot':
        return this.robot(query.get('key') ?? '', parseObject(request.body), fault);
      case 'wecom.token':
        return this.giveToken(query);
      case 'wecom.message':
        return this.withToken(call, query, fault, () => this.send(parseObject(request.body), fault));
      case 'wecom.userinfo':
        return this.withToken(call, query, fault, () => this.tellUser(query.get('code') ?? ''));
      default:
        this.told.add('wecom', 'no-such-call', `${request.method} ${request.path.replace(/\?.*$/, '')}`);
        return judged(-1);
    }
  }

  private robot(key: string, body: Fields | null, fault: Fault | undefined): Reply {
    if (key !== this.options.secrets.webhookKey)
      return this.complain('wecom.robot', 'webhook-key', '', 93000);
    const flaw = flawOfRobot(body);
    if (flaw || !body)
      return this.complain('wecom.robot', 'bad-field', flaw ?? 'body', flaw === 'empty' ? 44004 : 40058);
    const now = this.clock.now();
    if (now < this.robotBlockedUntil) return judged(45009);
    if (
      this.messages.filter(({ by, at }) => by === 'robot' && at > now - MINUTE_MS).length >= ROBOT_PER_MINUTE
    ) {
      this.robotBlockedUntil = now + MINUTE_MS;
      return this.complain('wecom.robot', 'over-limit', 'more than 20 a minute', 45009);
    }
    this.messages.push({
      at: now,
      by: 'robot',
      to: [],
      content: body,
      fate: isLost(fault) ? 'dropped' : 'delivered',
    });
    return judged(0);
  }

  private giveToken(query: URLSearchParams): Reply {
    const { corpId, corpSecret } = this.options.secrets;
    if (query.get('corpid') !== corpId) return this.complain('wecom.token', 'corp-id', '', 40013);
    if (query.get('corpsecret') !== corpSecret) return this.complain('wecom.token', 'corp-secret', '', 40001);
    const now = this.clock.now();
    if (!this.token || this.token.until <= now) {
      this.tokens += 1;
      this.token = {
        text: `token-${this.tokens}-${Math.floor(this.options.random() * 1e9)}`,
        until: now + TOKEN_SECONDS * 1000,
      };
    }
    const expiresIn = Math.floor((this.token.until - now) / 1000);
    return reply({ errcode: 0, errmsg: 'ok', access_token: this.token.text, expires_in: expiresIn });
  }

  private withToken(call: Call, query: URLSearchParams, fault: Fault | undefined, work: () => Reply): Reply {
    const given = query.get('access_token') ?? '';
    if (given === '') return this.complain(call, 'token-missing', '', 41001);
    if (fault?.kind === 'token') {
      this.voidToken();
      return judged(fault.code);
    }
    if (given !== this.token?.text) return judged(40014);
    return this.token.until <= this.clock.now() ? judged(42001) : work();
  }

  private send(body: Fields | null, fault: Fault | undefined): Reply {
    const flaw = flawOfCard(body);
    if (flaw || !body) return this.complain('wecom.message', 'bad-field', flaw ?? 'body', 40058);
    if (body.agentid !== this.options.secrets.agentId)
      return this.complain('wecom.message', 'agent', String(body.agentid), 301002);
    const names = String(body.touser).split('|');
    const valid = names.filter((name) => this.options.members?.has(name) ?? true);
    if (valid.length === 0) return judged(81013);
    this.messages.push({
      at: this.clock.now(),
      by: 'app',
      to: valid,
      content: body,
      fate: this.fateOf(body, valid, fault),
    });
    const invalid = names.filter((name) => !valid.includes(name)).map((name) => name.toLowerCase());
    return reply({
      errcode: 0,
      errmsg: 'ok',
      msgid: `m${this.messages.length}`,
      ...(invalid.length > 0 ? { invaliduser: invalid.join('|') } : {}),
    });
  }

  private fateOf(body: Fields, names: readonly string[], fault: Fault | undefined): Message['fate'] {
    const now = this.clock.now();
    const windowMs = Math.min(14_400, Number(body.duplicate_check_interval ?? DUPLICATE_SECONDS)) * 1000;
    const sentSince = (ms: number): Message[] =>
      this.messages.filter((sent) => sent.by === 'app' && sent.fate === 'delivered' && sent.at > now - ms);
    if (
      body.enable_duplicate_check === 1 &&
      sentSince(windowMs).some((sent) => canonical(sent.content) === canonical(body))
    )
      return 'duplicate';
    const to = (name: string, ms: number): number =>
      sentSince(ms).filter((sent) => sent.to.includes(name)).length;
    const over = names.some(
      (name) => to(name, MINUTE_MS) >= MEMBER_PER_MINUTE || to(name, HOUR_MS) >= MEMBER_PER_HOUR,
    );
    return over || isLost(fault) ? 'dropped' : 'delivered';
  }

  private tellUser(code: string): Reply {
    const known = this.signIns.get(code);
    this.signIns.delete(code);
    if (!known || known.until <= this.clock.now()) return judged(40029);
    return reply({
      errcode: 0,
      errmsg: 'ok',
      ...(known.userid === undefined ? { openid: `o-${code}` } : { userid: known.userid }),
    });
  }

  private complain(call: Call, rule: string, detail: string, code: number): Reply {
    this.told.add(call, rule, detail);
    return judged(code);
  }
}

export function wecomCallOf({ method, path }: VendorRequest): Call | undefined {
  const calls: Record<string, Call> = {
    'POST /cgi-bin/webhook/send': 'wecom.robot',
    'GET /cgi-bin/gettoken': 'wecom.token',
    'POST /cgi-bin/message/send': 'wecom.message',
    'GET /cgi-bin/auth/getuserinfo': 'wecom.userinfo',
  };
  return calls[`${method} ${path.replace(/\?.*$/, '')}`];
}

const isLost = (fault: Fault | undefined): boolean =>
  fault?.kind === 'lost-effect' || fault?.kind === 'silent-drop';

/** Always HTTP 200; `errmsg` is free text that nobody may judge by. */
function judged(errcode: number): Reply {
  return reply({ errcode, errmsg: errcode === 0 ? 'ok' : `hint: [${errcode}]` });
}

const MAX_BYTES: Readonly<Record<string, number>> = { text: 2048, markdown: 4096 };

function flawOfRobot(body: Fields | null): string | undefined {
  const type = String(body?.msgtype);
  const content = (body?.[type] as Fields | undefined)?.content;
  const max = MAX_BYTES[type];
  if (max === undefined) return 'msgtype';
  if (typeof content !== 'string' || content === '') return 'empty';
  return Buffer.byteLength(content) > max ? `${type} of more than ${max} bytes` : undefined;
}

function flawOfCard(body: Fields | null): string | undefined {
  if (body?.msgtype !== 'textcard') return 'msgtype';
  if (typeof body.touser !== 'string' || body.touser.trim() === '') return 'touser';
  const card = (body.textcard ?? {}) as Fields;
  const [title, description, url, button] = ['title', 'description', 'url', 'btntxt'].map((name) =>
    String(card[name] ?? ''),
  );
  if (!title || Buffer.byteLength(title) > 128) return 'title';
  if (!description || Buffer.byteLength(description) > 512 || description.includes('\uFFFD'))
    return 'description';
  if (!/^https?:\/\//.test(url ?? '')) return 'url';
  return [...(button ?? '')].length > 4 ? 'btntxt' : undefined;
}
