import type { Fault } from './fault.js';
import { type Delivery, toAnswer } from './misbehave.js';
import { type Clock, type Complaint, Complaints, type VendorAnswer, type VendorRequest } from './vendor.js';

/** What all models of vendors do alike: they answer requests, spoilt by a fault or not, and complain of wrong requests. */
export abstract class VendorModel<O extends { readonly clock: Clock }> {
  readonly options: O;
  protected readonly told: Complaints;
  protected readonly clock: Clock;

  constructor(options: O) {
    this.options = options;
    this.clock = options.clock;
    this.told = new Complaints(options.clock);
  }

  get complaints(): readonly Complaint[] {
    return this.told.list;
  }

  /** After a test that has looked at them. */
  forgetComplaints(): void {
    this.told.list.length = 0;
  }

  handle(request: VendorRequest, fault?: Fault): VendorAnswer {
    return toAnswer(this.deliver(request, fault));
  }

  /** The same with the manner of the way, for a server with real sockets. A fault of another call is ignored. */
  abstract deliver(request: VendorRequest, fault?: Fault): Delivery;
}
