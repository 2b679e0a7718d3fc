import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/base/caller.js';
import { Kit } from '../support/kit.js';

describe('complaints in the console', () => {
  let kit: Kit;
  let complaintId: string;
  let orderId: string;
  const calm = { host: 'lunchbox.test', origin: 'http://lunchbox.test' };

  beforeAll(async () => {
    kit = await Kit.create('sqlite');
    const order = await kit.ordered(await kit.menu(), 'diner');
    orderId = order.id;
    const body = { kind: 'missing', text: '<b>no rice</b>', wantedInCent: 800 };
    const answer = await kit.call<{ id: string }>('POST', `/v1/orders/${order.id}/complaints`, {
      as: 'diner',
      body,
    });
    complaintId = answer.body.id;
  });
  afterAll(() => kit.close());

  const cookieOf = async (sub: string, role: Role) => `lunchbox_session=${await kit.token(sub, role)}`;
  const look = async (url: string, sub: string, role: Role) =>
    kit.app.inject({
      method: 'GET',
      url,
      headers: { ...calm, cookie: await cookieOf(sub, role), 'accept-language': 'en' },
    });
  const send = async (name: string, sub: string, role: Role, fields: Record<string, string>) => {
    const cookie = await cookieOf(sub, role);
    const page = await kit.app.inject({
      method: 'GET',
      url: '/console/orders',
      headers: { ...calm, cookie },
    });
    const form = /name="form" value="([0-9a-f]+)"/.exec(page.body)?.[1] ?? '';
    return kit.app.inject({
      method: 'POST',
      url: `/console/complaints/${complaintId}/${name}`,
      headers: { ...calm, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ form, ...fields }).toString(),
    });
  };

  it('the queue shows what waits, how long, and leads to the complaint; its text is only text', async () => {
    const queue = await look('/console/complaints', 'mia', 'manager');
    expect(queue.statusCode).toBe(200);
    expect(queue.body).toContain(`/console/complaints/${complaintId}`);
    expect(queue.body).toContain('<time datetime=');
    const page = await look(`/console/complaints/${complaintId}`, 'mia', 'manager');
    expect(page.body).toContain('&#60;b&#62;no rice&#60;/b&#62;');
    expect((await look('/console/complaints/999', 'mia', 'manager')).statusCode).toBe(404);
  });

  it('a manager sees orders and complaints alone; the way in leads to the queue', async () => {
    expect((await look('/console/', 'mia', 'manager')).headers.location).toBe('/console/complaints');
    for (const url of ['/console/orders', `/console/orders/${orderId}`])
      expect([url, (await look(url, 'mia', 'manager')).statusCode]).toEqual([url, 200]);
    for (const url of ['/console/events', '/console/controls', '/console/audit', '/console/search?q=1'])
      expect([url, (await look(url, 'mia', 'manager')).statusCode]).toEqual([url, 403]);
    const page = await look('/console/complaints', 'mia', 'manager');
    expect(page.body).not.toContain('href="/console/controls"');
  });

  it('viewers and operators look and cannot decide; a user does not come in', async () => {
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const page = await look(`/console/complaints/${complaintId}`, 'x', role);
      expect([role, page.statusCode]).toEqual([role, 200]);
      expect(page.body).not.toContain(`/console/complaints/${complaintId}/review`);
      const refused = await send('review', 'x', role, { verdict: 'accept', note: 'x' });
      expect([role, refused.statusCode]).toEqual([role, 403]);
    }
    expect((await look('/console/complaints', 'x', 'user')).statusCode).toBe(303);
  });

  it('by forms: accepted by one manager, approved by another, refused to the first', async () => {
    const accepted = await send('review', 'mia', 'manager', {
      verdict: 'accept',
      grantedInCent: '',
      note: 'right',
    });
    expect([accepted.statusCode, accepted.headers.location]).toEqual([
      303,
      `/console/complaints/${complaintId}`,
    ]);
    expect((await send('approve', 'mia', 'manager', { note: 'x' })).statusCode).toBe(403);
    expect((await send('approve', 'noa', 'manager', { note: 'agreed' })).statusCode).toBe(303);
    const page = await look(`/console/complaints/${complaintId}`, 'noa', 'manager');
    expect(page.body).toContain('APPROVED');
    expect(page.body).toContain('8.00');
    await kit.runDue();
    const done = await look('/console/complaints?state=REFUNDED', 'noa', 'manager');
    expect(done.body).toContain(`/console/complaints/${complaintId}`);
  });
});
