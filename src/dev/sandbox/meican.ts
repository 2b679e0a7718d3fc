import { meicanSignature } from '../../clients/meican.js';
import { mealNames } from '../../entities/menu.js';
import type { Call, Fault } from './faults.js';
import type { MeicanOrder } from './ledger.js';
import { json, type Reply, type Understood, type VendorOptions, type VendorRequest } from './vendor.js';

const SKEW_MS = 300_000;
const envelope = (resultCode: string, resultDescription: string, data: unknown = null): Reply =>
  json({ resultCode, resultDescription, data });

/** The meal vendor. Natural uniqueness is (corp, e-mail, day, meal); it takes no order number of the client's. */
export function understandMeican(options: VendorOptions, request: VendorRequest): Understood | null {
  const match = /^\/meican\/v1\/corps\/([^/]+)\/(addorder|deleteorder|listgrouporderandbill)$/.exec(
    request.path,
  );
  if (!match) return null;
  const [, corp = '', action] = match;
  const form = new URLSearchParams(request.body);
  const common = {
    refusal: checkSignature(options, request),
    refuse: (code = 'ORDER_CLOSED') =>
      envelope(code, code === 'NOT_FOUND' ? 'apiErrors.corpMemberNotFound' : code),
    rateLimit: () => envelope('TOO_FAST', 'slow down'),
  };
  if (action === 'addorder' && request.method === 'POST')
    return {
      ...common,
      call: 'meican.addOrder',
      apply: (fault) => addOrder(options, decodeURIComponent(corp), form, fault),
    };
  if (action === 'deleteorder' && request.method === 'POST')
    return {
      ...common,
      call: 'meican.cancelOrder',
      apply: (fault) => cancelOrder(options, form.get('orderId') ?? '', fault),
    };
  if (action === 'listgrouporderandbill' && request.method === 'GET')
    return {
      ...common,
      call: 'meican.listOrders' as Call,
      apply: (fault) =>
        listOrders(options, decodeURIComponent(corp), request.query.get('target') ?? '', fault),
    };
  return null;
}

function checkSignature({ settings, now }: VendorOptions, { query }: VendorRequest): Reply | null {
  const timestamp = query.get('timestamp') ?? '';
  const fresh = Math.abs(Number(timestamp) - now()) <= SKEW_MS;
  if (fresh && query.get('signature') === meicanSignature(settings.meicanCorpToken, timestamp)) return null;
  return json({ resultCode: 'UNAUTHORIZED', resultDescription: 'signature' }, 401);
}

function addOrder(
  { ledger, now }: VendorOptions,
  corp: string,
  form: URLSearchParams,
  fault: Fault | undefined,
): Reply {
  const field = (name: string): string => form.get(name) ?? '';
  const [email, mealDate, mealType] = [field('email'), field('mealDate'), field('mealType')];
  let dishes: MeicanOrder['dishes'];
  try {
    dishes = JSON.parse(field('dishes')) as MeicanOrder['dishes'];
  } catch {
    return envelope('BAD_REQUEST', 'dishes');
  }
  if (
    !email ||
    !/^\d{4}-\d\d-\d\d$/.test(mealDate) ||
    !Object.hasOwn(mealNames, mealType) ||
    dishes.length === 0
  )
    return envelope('BAD_REQUEST', 'a field is missing');
  if (email.startsWith('nonmember')) return envelope('NOT_FOUND', 'apiErrors.corpMemberNotFound');
  const create = (foreign: boolean): MeicanOrder => {
    const order: MeicanOrder = {
      orderId: ledger.nextNumber('mc'),
      corp,
      email,
      realName: field('realName'),
      addressId: field('addressId'),
      mealDate,
      mealType,
      dishes: foreign ? [{ dishId: 999_999, count: 1, priceInCent: 100 }] : dishes,
      cancelled: false,
      foreign,
      createdAtMs: now(),
    };
    ledger.put('meicanOrders', order);
    return order;
  };
  const existing = ledger
    .where<MeicanOrder>('meicanOrders', 'email', email)
    .find(
      (order) =>
        !order.cancelled && order.corp === corp && order.mealDate === mealDate && order.mealType === mealType,
    );
  if (fault?.kind === 'multi') {
    const order = existing ?? create(fault.variant === 'foreign');
    return envelope(
      'MULTI_ORDER',
      'one order a meal',
      fault.variant === 'none' ? {} : { orderId: order.orderId },
    );
  }
  if (existing) return envelope('MULTI_ORDER', 'one order a meal', { orderId: existing.orderId });
  return envelope('OK', '下单成功', { orderId: create(false).orderId });
}

function cancelOrder({ ledger }: VendorOptions, orderId: string, fault: Fault | undefined): Reply {
  const order = ledger.find<MeicanOrder>('meicanOrders', orderId);
  const live = order !== undefined && !order.cancelled;
  if (live) ledger.put('meicanOrders', { ...order, cancelled: true });
  if (live && fault?.kind !== 'already-cancelled') return envelope('OK', '取消成功', { orderId });
  return envelope('NOT_FOUND', 'apiErrors.corpOrderUserNotFound', { orderId });
}

function listOrders(
  { ledger, now }: VendorOptions,
  corp: string,
  day: string,
  fault: Fault | undefined,
): Reply {
  const lagMs = fault?.kind === 'read-lag' ? (fault.ms ?? 5_000) : 0;
  const orders = ledger.books.meicanOrders.filter(
    (order) =>
      !order.cancelled && order.corp === corp && order.mealDate === day && order.createdAtMs <= now() - lagMs,
  );
  const orderList = Object.entries(mealNames).flatMap(([mealType, word]) => {
    const mealList = orders
      .filter((order) => order.mealType === mealType)
      .map(({ orderId, email, realName, addressId, dishes }) => ({
        orderId,
        email,
        realName,
        employeeId: '1',
        mealType,
        addressId,
        orderContent: dishes.map((dish) => ({
          name: `dish ${dish.dishId}`,
          restaurant: '川味坊',
          dishId: dish.dishId,
          priceInCent: dish.priceInCent,
          count: dish.count,
        })),
      }));
    return mealList.length > 0
      ? [
          {
            meal: `美餐网 ${word}`,
            time: `${day} 12:00:00`,
            type: 'ONLINE',
            dinerCount: mealList.length,
            dishCount: mealList.length,
            mealList,
          },
        ]
      : [];
  });
  return envelope('OK', '查询成功', { orderList });
}
