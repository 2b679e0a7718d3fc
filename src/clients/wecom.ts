import { z } from 'zod';
import { type Hide, hider } from '../base/hide.js';
import { classifyTransport } from './classify.js';
import { applied, notApplied, type Outcome, rejected, unknown } from './outcome.js';
import { hideOf, screen } from './screen.js';
import { type Answer, type CallContext, parseJson, type Request, recordOf, Transport } from './transport.js';

export interface WecomOptions {
  /** The whole URL of the group robot, key included: a secret. Null: there is no robot. */
  readonly webhookUrl: string | null;
  /** For application messages. Null: there is no application. */
  readonly application: {
    readonly baseUrl: string;
    readonly corpId: string;
    readonly corpSecret: string;
    readonly agentId: number;
  } | null;
  readonly timeoutMs: number;
  /** Hides every secret of the settings, whichever vendor's. */
  readonly hide?: Hide;
}

export interface TextCard {
  readonly toUser: string;
  readonly title: string;
  readonly description: string;
  readonly url: string;
  readonly buttonText: string;
}

const answerSchema = z.object({
  errcode: z.number().int(),
  errmsg: z.string().nullish(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
  invaliduser: z.string().optional(),
});

/** https://developer.work.weixin.qq.com/document/path/90313: judged by errcode, never by errmsg. */
const BUSY = -1;
const TOKEN_VOID = [40014, 42001, 41001];
const RATE_LIMITED = [45009, 45033];
const NOBODY = 81013;
/** The robot was removed or may not speak: another channel must. */
export const WEBHOOK_DEAD = ['93000', '93004', '93008'];
const BUSY_REPEATS = 3;
const RATE_LIMIT_WAIT_MS = 60_000;
const TOKEN_MARGIN_MS = 300_000;
const DUPLICATE_WINDOW_S = 1800;

/** WeCom: the on-call group's robot, and application messages to single people. */
export class WecomClient {
  readonly #robot: Transport | null;
  readonly #application: Transport | null;
  readonly #hide: Hide;
  #token: { value: string; validUntilMs: number } | undefined;
  #refreshing: Promise<Outcome<string>> | undefined;

  constructor(private readonly options: WecomOptions) {
    const { webhookUrl, application, timeoutMs } = options;
    this.#hide = options.hide ?? hider(ownSecrets(options));
    this.#robot = webhookUrl ? new Transport({ baseUrl: new URL(webhookUrl).origin, timeoutMs }) : null;
    this.#application = application ? new Transport({ baseUrl: application.baseUrl, timeoutMs }) : null;
  }

  get hasRobot(): boolean {
    return this.#robot !== null;
  }

  get hasApplication(): boolean {
    return this.#application !== null;
  }

  /** Markdown to the on-call group, at most 4096 bytes of UTF-8. */
  async sendToRobot(markdown: string, context: CallContext): Promise<Outcome<null>> {
    if (!this.#robot || !this.options.webhookUrl) return rejected('NO_ROBOT', 'no robot is configured');
    const url = new URL(this.options.webhookUrl);
    const robot = this.#robot;
    return this.#judged(
      'wecom.sendToRobot',
      robot,
      this.#post(url.pathname + url.search, { msgtype: 'markdown', markdown: { content: markdown } }),
      context,
    );
  }

  /** A card to one person. The same card twice within half an hour is delivered once. */
  async sendTextCard(card: TextCard, context: CallContext): Promise<Outcome<null>> {
    const textcard = {
      title: card.title,
      description: card.description,
      url: card.url,
      btntxt: card.buttonText,
    };
    return this.#sendMessage(
      'wecom.sendTextCard',
      {
        touser: card.toUser,
        msgtype: 'textcard',
        textcard,
        enable_duplicate_check: 1,
        duplicate_check_interval: DUPLICATE_WINDOW_S,
      },
      context,
    );
  }

  /** Plain text to people: the second channel when the robot is dead. At most 2048 bytes of UTF-8. */
  async sendText(toUser: string, text: string, context: CallContext): Promise<Outcome<null>> {
    return this.#sendMessage(
      'wecom.sendText',
      { touser: toUser, msgtype: 'text', text: { content: text } },
      context,
    );
  }

  close(): void {
    this.#robot?.close();
    this.#application?.close();
  }

  async #sendMessage(call: string, message: object, context: CallContext): Promise<Outcome<null>> {
    const { application } = this.options;
    if (!application || !this.#application)
      return rejected('NO_APPLICATION', 'no WeCom application is configured');
    const transport = this.#application;
    for (let refreshed = false; ; refreshed = true) {
      const token = await this.#accessToken(context);
      if (token.kind !== 'applied')
        return token.kind === 'unknown' ? notApplied(token.code, 'no access token could be had') : token;
      const request = this.#post(`/cgi-bin/message/send?access_token=${encodeURIComponent(token.value)}`, {
        ...message,
        agentid: application.agentId,
      });
      const outcome = await this.#judged(call, transport, request, context);
      if (outcome.kind !== 'rejected' || !TOKEN_VOID.includes(Number(outcome.code))) return outcome;
      if (this.#token?.value === token.value) this.#token = undefined; // WeCom may void a token early; others may have refreshed it already
      if (refreshed) return notApplied(outcome.code, 'the access token is refused even when new');
    }
  }

  /** Cached; refreshed by one caller at a time, however many wait. */
  async #accessToken(context: CallContext): Promise<Outcome<string>> {
    if (this.#token && this.#token.validUntilMs > Date.now()) return applied(this.#token.value);
    this.#refreshing ??= this.#fetchToken(context).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #fetchToken(context: CallContext): Promise<Outcome<string>> {
    const { application } = this.options;
    if (!application || !this.#application)
      return rejected('NO_APPLICATION', 'no WeCom application is configured');
    const path = `/cgi-bin/gettoken?corpid=${encodeURIComponent(application.corpId)}&corpsecret=${encodeURIComponent(application.corpSecret)}`;
    // The token is shared by all callers, so no single caller's signal may end it; and its answer is a secret, so it is not journaled.
    const request: Request = { method: 'GET', path, headers: {}, body: null, isRead: true };
    const answer = await this.#application.send(request, {
      requestId: context.requestId,
      traceparent: context.traceparent,
    });
    return screen(this.#readToken(answer), hideOf(this.#hide, request, context));
  }

  #readToken(answer: Answer): Outcome<string> {
    const failed = classifyTransport(answer);
    if (failed) return failed;
    const parsed = answer.kind === 'answer' ? answerSchema.safeParse(parseJson(answer.text)) : undefined;
    if (!parsed?.success) return unknown('MALFORMED', 'the answer is not what WeCom promises');
    const { errcode, access_token: value, expires_in: seconds } = parsed.data;
    if (errcode !== 0) return judgeRefusal(errcode);
    if (!value || !seconds) return unknown('MALFORMED', 'an access token was promised and not sent');
    this.#token = {
      value,
      validUntilMs: Date.now() + Math.max(seconds * 1000 - TOKEN_MARGIN_MS, (seconds * 1000) / 2),
    };
    return applied(value);
  }

  async #judged(
    call: string,
    transport: Transport,
    request: Request,
    context: CallContext,
  ): Promise<Outcome<null>> {
    for (let tryNo = 1; ; tryNo++) {
      const startedMs = performance.now();
      const at = new Date();
      const answer = await transport.send(request, context);
      const parsed = answer.kind === 'answer' ? answerSchema.safeParse(parseJson(answer.text)) : undefined;
      const judged =
        classifyTransport(answer) ??
        (parsed?.success
          ? judgeErrcode(parsed.data.errcode)
          : unknown('MALFORMED', 'the answer is not what WeCom promises'));
      const hide = hideOf(this.#hide, request, context);
      const outcome = screen(judged, hide);
      context.journal?.(recordOf(call, request, answer, outcome, startedMs, at, hide));
      const busy = parsed?.success === true && parsed.data.errcode === BUSY;
      if (!busy || tryNo > BUSY_REPEATS) return outcome;
      await new Promise((resolve) => setTimeout(resolve, 200 * tryNo));
    }
  }

  #post(path: string, body: object): Request {
    return {
      method: 'POST',
      path,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      isRead: false,
    };
  }
}

function ownSecrets({ webhookUrl, application }: WecomOptions): string[] {
  const key = webhookUrl ? new URL(webhookUrl).searchParams.get('key') : null;
  return [key, application?.corpSecret].filter((secret): secret is string => Boolean(secret));
}

function judgeErrcode(errcode: number): Outcome<null> {
  return errcode === 0 ? applied(null) : judgeRefusal(errcode);
}

function judgeRefusal(errcode: number): Outcome<never> {
  if (errcode === BUSY) return notApplied(String(errcode), 'WeCom is busy');
  if (RATE_LIMITED.includes(errcode))
    return notApplied(String(errcode), 'WeCom limits our rate', RATE_LIMIT_WAIT_MS);
  if (errcode === NOBODY) return rejected(String(errcode), 'none of the receivers can be reached');
  return rejected(String(errcode), 'WeCom refused the message');
}
