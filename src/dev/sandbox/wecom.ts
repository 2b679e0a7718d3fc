import { json, type Reply, type Understood, type VendorOptions, type VendorRequest } from './vendor.js';
import { parseObject } from './wire.js';

const ROBOT_PER_MINUTE = 20;
const BLOCKED_MS = 60_000;
const TOKEN_S = 7_200;
const MARKDOWN_MAX = 4_096;
const TEXT_MAX = 2_048;

const answer = (errcode: number, more: Record<string, unknown> = {}): Reply =>
  json({ errcode, errmsg: errcode === 0 ? 'ok' : `error ${errcode}`, ...more });

/** WeCom: always HTTP 200, judged by errcode. Keeps no secrets in its books. */
export class WecomVendor {
  readonly #tokens = new Map<string, number>();
  #sent: number[] = [];
  #blockedUntil = 0;
  #count = 0;

  constructor(private readonly options: VendorOptions) {}

  reset(): void {
    this.#tokens.clear();
    this.#sent = [];
    this.#blockedUntil = 0;
  }

  understand(request: VendorRequest): Understood | null {
    const path = request.path.replace(/^\/wecom/, '');
    const common = {
      refusal: null,
      refuse: (code = '40008') => answer(Number(code)),
      rateLimit: () => answer(45_009),
    };
    if (path === '/cgi-bin/webhook/send' && request.method === 'POST')
      return {
        ...common,
        call: 'wecom.robot',
        apply: (fault) => this.#robot(request, fault?.kind === 'silent-drop'),
      };
    if (path === '/cgi-bin/gettoken' && request.method === 'GET')
      return { ...common, call: 'wecom.token', apply: () => this.#token(request) };
    if (path === '/cgi-bin/message/send' && request.method === 'POST') {
      return {
        ...common,
        call: 'wecom.message',
        apply: (fault) => {
          if (fault?.kind === 'unauthorized') {
            this.#tokens.clear();
            return answer(fault.variant === 'expired' ? 42_001 : 40_014);
          }
          return this.#message(request, fault?.kind === 'silent-drop');
        },
      };
    }
    return null;
  }

  #robot(request: VendorRequest, drop: boolean): Reply {
    const { ledger, now } = this.options;
    if (!request.query.get('key')) return answer(93_000);
    if (now() < this.#blockedUntil) return answer(45_009);
    this.#sent = this.#sent.filter((at) => at > now() - 60_000);
    if (this.#sent.length >= ROBOT_PER_MINUTE) {
      this.#blockedUntil = now() + BLOCKED_MS;
      return answer(45_009);
    }
    this.#sent.push(now());
    const message = parseObject(request.body);
    const markdown = (message.markdown as { content?: string } | undefined)?.content;
    const text = (message.text as { content?: string } | undefined)?.content;
    if (Buffer.byteLength(markdown ?? '') > MARKDOWN_MAX || Buffer.byteLength(text ?? '') > TEXT_MAX)
      return answer(40_058);
    if (!markdown && !text) return answer(44_004);
    if (!drop) ledger.put('robotMessages', { to: 'robot', content: message, atMs: now() });
    return answer(0);
  }

  #token(request: VendorRequest): Reply {
    if (request.query.get('corpsecret') !== this.options.settings.wecomCorpSecret) return answer(40_001);
    this.#count += 1;
    const token = `sandbox-token-${this.#count}-${Math.floor(this.options.now())}`;
    this.#tokens.set(token, this.options.now() + TOKEN_S * 1000);
    return answer(0, { access_token: token, expires_in: TOKEN_S });
  }

  #message(request: VendorRequest, drop: boolean): Reply {
    const { ledger, now } = this.options;
    const validUntil = this.#tokens.get(request.query.get('access_token') ?? '');
    if (validUntil === undefined) return answer(40_014);
    if (validUntil < now()) return answer(42_001);
    const message = parseObject(request.body);
    const to = String(message.touser ?? '');
    if (!to || to.startsWith('nobody')) return answer(81_013);
    const card = message.textcard as { title?: string; description?: string } | undefined;
    if (
      card &&
      (Buffer.byteLength(card.title ?? '') > 128 || Buffer.byteLength(card.description ?? '') > 512)
    )
      return answer(40_058);
    const { access_token: _token, ...content } = message;
    const windowMs = Number(message.duplicate_check_interval ?? 1800) * 1000;
    const repeated =
      message.enable_duplicate_check === 1 &&
      ledger.books.appMessages.some(
        (sent) => sent.atMs > now() - windowMs && JSON.stringify(sent.content) === JSON.stringify(content),
      );
    if (!drop && !repeated) ledger.put('appMessages', { to, content, atMs: now() });
    return answer(0, { invaliduser: '' });
  }
}
