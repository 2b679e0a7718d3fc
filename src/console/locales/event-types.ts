import type { Language } from './languages.js';

export interface TypeWords {
  readonly name: string;
  readonly does: string;
  readonly ifNever: string;
  readonly affects: string;
  /** May the call be repeated without asking first? */
  readonly repeatable: boolean;
}

/** The event types in people's words. A test keeps it complete. */
export const typeWords: Record<Language, Record<string, TypeWords>> = {
  zh: {
    MEICAN_NEW_V2_ORDER: {
      name: '美餐下单',
      does: '把已付款的订单下到美餐。',
      ifNever: '订单置为失败，退还能量点和库存，通知用户。',
      affects: '这位用户没有饭。',
      repeatable: false,
    },
    MEICAN_V2_CANCEL: {
      name: '美餐取消',
      does: '把已取消的订单从美餐撤下。',
      ifNever: '美餐会做一份没人付钱的饭。',
      affects: '公司损失一餐；用户的钱不受影响。',
      repeatable: true,
    },
    ENERGY_CENTER_V2_CANCEL: {
      name: '能量点退款',
      does: '把已结束订单的能量点退给用户。',
      ifNever: '用户付了钱却没有饭。',
      affects: '这位用户的能量点。',
      repeatable: true,
    },
    ENERGY_CENTER_ROLLBACK_V2_ERROR: {
      name: '支付回滚',
      does: '付款没有得到确认时关闭或退还它。',
      ifNever: '用户可能白付了钱。',
      affects: '这位用户的能量点。',
      repeatable: true,
    },
    ZHIPAN_SYNC_ERROR: {
      name: '智盘消费同步',
      does: '把食堂刷卡消费同步到能量点中心。',
      ifNever: '能量点中心缺少这笔消费。',
      affects: '对账；用户暂无感知。',
      repeatable: true,
    },
    COFFEE_CONSUME_CANCEL: {
      name: '咖啡退款',
      does: '退还一笔咖啡消费的能量点。',
      ifNever: '用户付了钱却没有咖啡。',
      affects: '这位用户的能量点。',
      repeatable: true,
    },
    WECOM_DINER_CARD: {
      name: '订餐失败通知',
      does: '用企业微信卡片告诉用户订餐失败。',
      ifNever: '用户到餐柜前才知道没有饭。',
      affects: '这位用户。',
      repeatable: false,
    },
    WECOM_ALERT: {
      name: '告警发送',
      does: '向值班群发送一组告警。',
      ifNever: '没有人知道出了问题。',
      affects: '值班人员。',
      repeatable: false,
    },
    EVENT_BATCH: {
      name: '批量操作',
      does: '按速率执行一批已预览的重新执行或放弃。',
      ifNever: '其余事件保持停止状态。',
      affects: '这一批的事件。',
      repeatable: true,
    },
    BOOKS_COMPARE: {
      name: '对账',
      does: '把一天的账目与美餐、能量点中心核对。',
      ifNever: '没有应答说明的差错会一直没人发现。',
      affects: '对账。',
      repeatable: true,
    },
    HOUSEKEEPING: {
      name: '清理',
      does: '删除过了保留期的数据，分小批进行。',
      ifNever: '表会一直变大。',
      affects: '没有人。',
      repeatable: true,
    },
  },
  en: {
    MEICAN_NEW_V2_ORDER: {
      name: 'Place at Meican',
      does: 'Places a paid order at Meican.',
      ifNever: 'The order fails: points and stock back, the diner told.',
      affects: 'This diner has no lunch.',
      repeatable: false,
    },
    MEICAN_V2_CANCEL: {
      name: 'Cancel at Meican',
      does: 'Takes a cancelled order off Meican’s books.',
      ifNever: 'Meican cooks a meal that nobody paid for.',
      affects: 'The company loses a meal; the diner’s points are not affected.',
      repeatable: true,
    },
    ENERGY_CENTER_V2_CANCEL: {
      name: 'Refund',
      does: 'Gives the points of an ended order back.',
      ifNever: 'The diner has paid for nothing.',
      affects: 'This diner’s points.',
      repeatable: true,
    },
    ENERGY_CENTER_ROLLBACK_V2_ERROR: {
      name: 'Payment guard',
      does: 'Closes or refunds a payment that was not confirmed.',
      ifNever: 'The diner may have paid for nothing.',
      affects: 'This diner’s points.',
      repeatable: true,
    },
    ZHIPAN_SYNC_ERROR: {
      name: 'Till sync',
      does: 'Tells the energy center of a meal eaten at a canteen till.',
      ifNever: 'The consumption is missing there.',
      affects: 'Accounting; the diner does not notice.',
      repeatable: true,
    },
    COFFEE_CONSUME_CANCEL: {
      name: 'Coffee refund',
      does: 'Gives the points of a coffee trade back.',
      ifNever: 'The customer has paid for nothing.',
      affects: 'This customer’s points.',
      repeatable: true,
    },
    WECOM_DINER_CARD: {
      name: 'Card to the diner',
      does: 'Tells a diner by WeCom that the order failed.',
      ifNever: 'The diner learns it at the cabinet.',
      affects: 'This diner.',
      repeatable: false,
    },
    WECOM_ALERT: {
      name: 'Alert',
      does: 'Sends a group of alerts to the people on call.',
      ifNever: 'Nobody knows that something is wrong.',
      affects: 'The people on call.',
      repeatable: false,
    },
    EVENT_BATCH: {
      name: 'Bulk act',
      does: 'Requeues or discards a previewed set of events at a rate.',
      ifNever: 'The rest of its events stay errored.',
      affects: 'The events of the set.',
      repeatable: true,
    },
    BOOKS_COMPARE: {
      name: 'Compare the books',
      does: 'Compares one day with Meican’s and the energy center’s records.',
      ifNever: 'What no answer told stays unnoticed.',
      affects: 'Accounting.',
      repeatable: true,
    },
    HOUSEKEEPING: {
      name: 'Housekeeping',
      does: 'Deletes what is past its retention, in small batches.',
      ifNever: 'The tables grow.',
      affects: 'Nobody.',
      repeatable: true,
    },
  },
};

export function typeWordsOf(language: Language, type: string): TypeWords {
  return (
    typeWords[language][type] ?? { name: type, does: '—', ifNever: '—', affects: '—', repeatable: false }
  );
}
