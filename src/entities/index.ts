import { Alert } from './alert.js';
import { AlertMessage } from './alert-message.js';
import { AlertOccurrence } from './alert-occurrence.js';
import { AlertRobot } from './alert-robot.js';
import { BoxDish } from './box-dish.js';
import { BoxOrder } from './box-order.js';
import { BoxSideboard } from './box-sideboard.js';
import { CanteenConsumption } from './canteen-consumption.js';
import { CoffeeTrade } from './coffee-trade.js';
import { Complaint } from './complaint.js';
import { ComplaintReview } from './complaint-review.js';
import { ConsoleSignOut } from './console-sign-out.js';
import { ConsoleView } from './console-view.js';
import { EventAttempt } from './event-attempt.js';
import { EventBatch } from './event-batch.js';
import { EventBatchItem } from './event-batch-item.js';
import { EventPause } from './event-pause.js';
import { IdempotencyRecord } from './idempotency-record.js';
import { Installation } from './installation.js';
import { Menu } from './menu.js';
import { OperatorAction } from './operator-action.js';
import { OrderCounter } from './order-counter.js';
import { OrderStep } from './order-step.js';
import { OutboxEvent } from './outbox-event.js';
import { ProcessHeartbeat } from './process-heartbeat.js';

/** Every table. The migrations make them; test/database/schema.test.ts finds any difference. */
export const entities = [
  AlertMessage,
  AlertOccurrence,
  AlertRobot,
  Alert,
  BoxDish,
  BoxOrder,
  BoxSideboard,
  CanteenConsumption,
  CoffeeTrade,
  ComplaintReview,
  Complaint,
  ConsoleSignOut,
  ConsoleView,
  EventAttempt,
  EventBatchItem,
  EventBatch,
  EventPause,
  IdempotencyRecord,
  Installation,
  Menu,
  OperatorAction,
  OrderCounter,
  OrderStep,
  OutboxEvent,
  ProcessHeartbeat,
];
