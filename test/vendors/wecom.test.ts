import { describe, expect, it } from 'vitest';
import { Bench, bodyOf } from './bench.js';
import type { Fault } from './fault.js';

const send = (bench: Bench, content: string, fault?: Fault, key = 'k') =>
  bodyOf(
    bench.wecom.handle(
      {
        method: 'POST',
        path: `/cgi-bin/webhook/send?key=${key}`,
        headers: {},
        body: JSON.stringify({ msgtype: 'text', text: { content } }),
      },
      fault,
    ),
  ).errcode;
const token = (bench: Bench, secret = 's') =>
  bodyOf(
    bench.wecom.handle({
      method: 'GET',
      path: `/cgi-bin/gettoken?corpid=c&corpsecret=${secret}`,
      headers: {},
      body: '',
    }),
  );
const CARD = {
  touser: 'Zhang|Li',
  msgtype: 'textcard',
  agentid: 7,
  textcard: { title: '订餐失败', description: 'x', url: 'https://x.cn', btntxt: '重新订餐' },
};
const card = (bench: Bench, body: object, accessToken: unknown, fault?: Fault) =>
  bodyOf(
    bench.wecom.handle(
      {
        method: 'POST',
        path: `/cgi-bin/message/send?access_token=${accessToken}`,
        headers: {},
        body: JSON.stringify(body),
      },
      fault,
    ),
  );

describe('WeCom', () => {
  it('takes 20 messages a minute from a robot, then blocks it for a minute', () => {
    const bench = new Bench();
    for (let n = 0; n < 20; n++) expect(send(bench, `m${n}`)).toBe(0);
    expect(send(bench, 'more')).toBe(45009);
    bench.clock.move(59_000);
    expect(send(bench, 'more')).toBe(45009);
    bench.clock.move(2_000);
    expect(send(bench, 'more')).toBe(0);
    expect(bench.wecom.complaints.map(({ rule }) => rule)).toEqual(['over-limit']);
  });

  it('counts bytes of UTF-8, not characters', () => {
    const bench = new Bench();
    expect(send(bench, '餐'.repeat(682))).toBe(0);
    expect(send(bench, '餐'.repeat(683))).toBe(40058);
    expect(send(bench, 'x', undefined, 'other')).toBe(93000);
  });

  it('gives a token, voids it early, and refuses what is too long for a card', () => {
    const bench = new Bench({ wecom: { members: new Set(['Zhang']) } });
    expect(token(bench, 'wrong').errcode).toBe(40001);
    const first = token(bench).access_token;
    expect(token(bench).access_token).toBe(first);
    expect(card(bench, CARD, first)).toMatchObject({ errcode: 0, invaliduser: 'li' });
    expect(card(bench, CARD, first, { call: 'wecom.message', kind: 'token', code: 42001 }).errcode).toBe(
      42001,
    );
    expect(card(bench, CARD, first).errcode).toBe(40014);
    const second = token(bench).access_token;
    expect(
      card(bench, { ...CARD, textcard: { ...CARD.textcard, description: '餐'.repeat(171) } }, second).errcode,
    ).toBe(40058);
    expect(card(bench, { ...CARD, touser: 'Li' }, second).errcode).toBe(81013);
  });

  it('does not deliver the same card twice in its window, and drops silently over the limit of a member', () => {
    const bench = new Bench();
    const { access_token: given } = token(bench);
    for (let n = 0; n < 31; n++) card(bench, { ...CARD, n }, given);
    expect(bench.wecom.messages.map(({ fate }) => fate).filter((fate) => fate === 'dropped')).toHaveLength(1);
    bench.clock.move(61_000);
    const once = { ...CARD, enable_duplicate_check: 1, duplicate_check_interval: 1800 };
    expect([card(bench, once, given), card(bench, once, given)].map(({ errcode }) => errcode)).toEqual([
      0, 0,
    ]);
    expect(bench.wecom.messages.slice(-2).map(({ fate }) => fate)).toEqual(['delivered', 'duplicate']);
  });

  it('tells a sign-in’s member once, within five minutes', () => {
    const bench = new Bench();
    const ask = (code: string) =>
      bodyOf(
        bench.wecom.handle({
          method: 'GET',
          path: `/cgi-bin/auth/getuserinfo?access_token=${token(bench).access_token}&code=${code}`,
          headers: {},
          body: '',
        }),
      );
    const code = bench.wecom.signIn('zhang');
    expect(ask(code)).toMatchObject({ errcode: 0, userid: 'zhang' });
    expect(ask(code).errcode).toBe(40029);
    expect(ask(bench.wecom.signIn())).not.toHaveProperty('userid');
  });
});
