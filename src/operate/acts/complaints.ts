import { z } from 'zod';
import type { Role } from '../../base/caller.js';
import { reason } from '../../base/fields.js';
import {
  approveComplaint,
  inspectReturn,
  judgeComplaint,
  receiveReturn,
} from '../../orders/decide-complaint.js';
import type { ReviewDependencies } from '../../orders/review-complaint.js';
import { act } from './act.js';

const MANAGERS: readonly Role[] = ['manager'];
/** Two persons must have signed in; the command line believes whoever calls it. */
const command = { none: 'two persons sign in for a refund: by the console or the API' };
const form = (name: string) => ({ urls: [`/console/complaints/:id/${name}` as const] });
const grantedInCent = z.number().int().min(1).max(100_000_000);

export const reviewOfComplaint = act({
  name: 'complaint-review',
  on: 'complaint',
  roles: MANAGERS,
  input: z.object({
    verdict: z.enum(['accept', 'reject']),
    grantedInCent: grantedInCent.optional(),
    note: reason,
  }),
  reason: 'none',
  words: { zh: '审核投诉', en: 'Review the complaint' },
  route: { url: '/v1/complaints/:id/review', summary: 'Accept a complaint, with an amount, or reject it' },
  form: form('review'),
  command,
  run: (needs: ReviewDependencies, stated, by) => judgeComplaint(needs, stated, by),
});

export const receiveBox = act({
  name: 'complaint-returned',
  on: 'complaint',
  roles: MANAGERS,
  input: null,
  reason: 'none',
  words: { zh: '餐盒已退回', en: 'The box is back' },
  route: { url: '/v1/complaints/:id/returned', summary: 'The box of an accepted complaint has come back' },
  form: form('returned'),
  command,
  run: (needs: ReviewDependencies, { id }, by) => receiveReturn(needs, { id }, by),
});

export const inspectBox = act({
  name: 'complaint-inspect',
  on: 'complaint',
  roles: MANAGERS,
  input: z.object({ ok: z.boolean(), note: reason }),
  reason: 'none',
  words: { zh: '检查餐盒', en: 'Inspect the box' },
  route: {
    url: '/v1/complaints/:id/inspect',
    summary: 'The returned box confirms the complaint, or does not: then it is rejected',
  },
  form: form('inspect'),
  command,
  run: (needs: ReviewDependencies, stated, by) => inspectReturn(needs, stated, by),
});

export const approveRefund = act({
  name: 'complaint-approve',
  on: 'complaint',
  roles: MANAGERS,
  input: z.object({ note: reason }),
  reason: 'none',
  words: { zh: '批准退款', en: 'Approve the refund' },
  route: {
    url: '/v1/complaints/:id/approve',
    summary: 'Grant the amount; by another person than the one who accepted the complaint',
  },
  form: form('approve'),
  command,
  run: (needs: ReviewDependencies, stated, by) => approveComplaint(needs, stated, by),
});
