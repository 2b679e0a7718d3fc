import { Entity } from 'typeorm';
import { KeyText, Whole } from './columns.js';

/** The lock that all processes take to use one of the robot's slots. */
@Entity('alert_robot')
export class AlertRobot {
  @KeyText('name', 64) name!: string;
  @Whole('slots_taken') slotsTaken!: number;
}
