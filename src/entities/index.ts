import { BoxDish } from './box-dish.js';
import { BoxOrder } from './box-order.js';
import { BoxSideboard } from './box-sideboard.js';
import { CanteenConsumption } from './canteen-consumption.js';
import { CoffeeTrade } from './coffee-trade.js';
import { EventAttempt } from './event-attempt.js';
import { Menu } from './menu.js';
import { OperatorAction } from './operator-action.js';
import { OutboxEvent } from './outbox-event.js';

export const entities = [
  BoxDish,
  BoxOrder,
  BoxSideboard,
  CanteenConsumption,
  CoffeeTrade,
  EventAttempt,
  Menu,
  OperatorAction,
  OutboxEvent,
];
