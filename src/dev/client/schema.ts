// Made by `npm run openapi` of a description with SHA-256 352ace24f2f2694fae82365be320c1fa6079f0d89fd7a29bc0e5abd355cf82da. Not to be edited.
export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process runs */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ok";
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process can serve */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            status: "ready";
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/menus/{garden}/{date}/{mealType}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The menu and what is left */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    garden: string;
                    date: string;
                    mealType: "BREAKFAST" | "LUNCH" | "DINNER";
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Menu"];
                    };
                };
            };
        };
        /** Make the menu what the body says */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    garden: string;
                    date: string;
                    mealType: "BREAKFAST" | "LUNCH" | "DINNER";
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        corp: string;
                        /** Format: date-time */
                        cutoffAt: string;
                        dishes: {
                            meicanDishId: string | number;
                            name: string;
                            priceInCent: number;
                            stock: number;
                        }[];
                        sideboards: {
                            location: string;
                            addressId: string;
                            capacity: number;
                        }[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Menu"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/order-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A token for one order, to be sent as its Idempotency-Key */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            token: string;
                            expiresAt: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Orders, newest first */
        get: {
            parameters: {
                query?: {
                    userId?: string;
                    status?: "PAYING" | "ORDERING" | "ORDERED" | "USER_CANCEL" | "SYSTEM_CANCEL" | "ORDER_ERROR";
                    edibleDate?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Order"][];
                            nextCursor: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        /** Order boxed meals */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        garden: string;
                        meals: {
                            dishId: string;
                            sideboardId: string;
                            edibleDate: string;
                            /** @enum {string} */
                            mealType: "BREAKFAST" | "LUNCH" | "DINNER";
                            /** @enum {number} */
                            count?: 1;
                        }[];
                        userId?: string;
                        email?: string;
                        name?: string;
                        payment?: {
                            /** @enum {string} */
                            type: "points";
                        };
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            orders: components["schemas"]["Order"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel an order */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        reason?: string;
                    } | null;
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            order: components["schemas"]["Order"];
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            order: components["schemas"]["Order"];
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One order */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Order"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Everything that happened to an order, oldest first */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            order: components["schemas"]["Order"];
                            timeline: {
                                at: string;
                                /** @enum {string} */
                                kind: "step" | "event-recorded" | "attempt" | "event-settled" | "alert" | "operator-action";
                                what: string;
                                detail: {
                                    [key: string]: unknown;
                                };
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/reveal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The name and e-mail of who ordered; kept in the audit */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            realName: string;
                            email: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/fulfilments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** How far boxes have come after the kitchen */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        updates: {
                            orderNo: string;
                            /** @enum {string} */
                            state: "COOKING" | "ON_THE_WAY" | "IN_CABINET" | "PICKED_UP" | "NOT_PICKED_UP";
                            /** Format: date-time */
                            at: string;
                        }[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            results: {
                                orderNo: string;
                                /** @enum {string} */
                                result: "moved" | "known" | "older" | "not-live" | "not-found";
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/complaints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Complain about an order, and name the amount that should come back */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        kind: "wrong-dish" | "quality" | "missing" | "late" | "other";
                        text: string & (unknown & unknown);
                        wantedInCent: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Complaints, newest first */
        get: {
            parameters: {
                query?: {
                    state?: "APPLIED" | "ACCEPTED" | "RETURNED" | "INSPECTED" | "APPROVED" | "REFUNDED" | "REJECTED";
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Complaint"][];
                            nextCursor: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One complaint */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints/{id}/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accept a complaint, with an amount, or reject it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        verdict: "accept" | "reject";
                        grantedInCent?: number;
                        note: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints/{id}/returned": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box of an accepted complaint has come back */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints/{id}/inspect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The returned box confirms the complaint, or does not: then it is rejected */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ok: boolean;
                        note: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/complaints/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Grant the amount; by another person than the one who accepted the complaint */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        note: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Complaint"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/canteen-consumptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a canteen consumption and sync it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        recordNo: string & (unknown & unknown);
                        userId: string;
                        amountInCent: number;
                        canteen: string;
                        /** Format: date-time */
                        consumedAt: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            recordNo: string;
                            /** @enum {string} */
                            status: "SYNCED" | "PENDING" | "REFUSED";
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            recordNo: string;
                            /** @enum {string} */
                            status: "SYNCED" | "PENDING" | "REFUSED";
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coffee-trades/{tradeNo}/refund": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Refund a coffee trade */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    tradeNo: string & (unknown & unknown);
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        userId: string;
                        amountInCent: number;
                        outTradeNo: string & (unknown & unknown);
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            tradeNo: string;
                            /** @enum {string} */
                            status: "REFUNDED" | "PENDING" | "REFUSED";
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            tradeNo: string;
                            /** @enum {string} */
                            status: "REFUNDED" | "PENDING" | "REFUSED";
                            events: components["schemas"]["Event"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events, newest first */
        get: {
            parameters: {
                query?: {
                    status?: "pending" | "handled" | "errored" | "discarded";
                    type?: string;
                    orderId?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Event"][];
                            nextCursor: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One event and its attempts */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            type: string;
                            /** @enum {string} */
                            status: "pending" | "handled" | "errored" | "discarded";
                            orderId: string | null;
                            orderNo: string | null;
                            attempt: number;
                            failures: number;
                            failuresMax: number;
                            runAt: string;
                            leaseUntil: string | null;
                            outcome: ("applied" | "rejected" | "not-applied" | "unknown") | null;
                            lastError: {
                                code: string;
                                message: string;
                            } | null;
                            createdAt: string;
                            settledAt: string | null;
                            attempts: {
                                number: number;
                                trigger: string;
                                startedAt: string;
                                finishedAt: string | null;
                                worker: string;
                                outcome: ("applied" | "rejected" | "not-applied" | "unknown") | null;
                                decision: string | null;
                                error: {
                                    code: string;
                                    message: string;
                                } | null;
                                request: {
                                    method: string;
                                    path: string;
                                    headers?: {
                                        [key: string]: string;
                                    };
                                    body: string | null;
                                } | null;
                                answer: {
                                    status: number | null;
                                    headers?: {
                                        [key: string]: string;
                                    };
                                    body: string | null;
                                } | null;
                                exchanges: {
                                    call: string;
                                    at: string;
                                    durationMs: number;
                                    request: {
                                        method: string;
                                        path: string;
                                        headers?: {
                                            [key: string]: string;
                                        };
                                        body: string | null;
                                    } | null;
                                    answer: {
                                        status: number | null;
                                        headers?: {
                                            [key: string]: string;
                                        };
                                        body: string | null;
                                    } | null;
                                    outcome: string;
                                    code: string | null;
                                }[];
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}/requeue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** errored → pending with fresh failures */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Event"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give an event up for good: with the compensation of its type, or refused with the reason */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Event"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}/settle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** State what the vendor did: done → handled; not done (unknown outcomes only) → carried out again without asking first */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        as: "done" | "not-done";
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Event"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}/ask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask the vendor what its books say; the answer is kept, nothing else changes */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            outcome: "applied" | "rejected" | "not-applied" | "unknown";
                            text: string;
                            exchanges: {
                                call: string;
                                at: string;
                                durationMs: number;
                                request: {
                                    method: string;
                                    path: string;
                                    headers?: {
                                        [key: string]: string;
                                    };
                                    body: string | null;
                                } | null;
                                answer: {
                                    status: number | null;
                                    headers?: {
                                        [key: string]: string;
                                    };
                                    body: string | null;
                                } | null;
                                outcome: string;
                                code: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Preview a bulk act: freezes the errored events that the filter names, and does nothing to them */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        verb: "requeue" | "discard";
                        type?: string;
                        cause?: string;
                        /** @default 5 */
                        ratePerSecond?: number;
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            verb: "requeue" | "discard";
                            filter: {
                                type?: string;
                                cause?: string;
                            };
                            /** @enum {string} */
                            status: "previewed" | "running" | "stopped" | "done";
                            total: number;
                            done: number;
                            skipped: number;
                            ratePerSecond: number;
                            reason: string;
                            actor: string;
                            executor: string | null;
                            why: string | null;
                            createdAt: string;
                            startedAt: string | null;
                            endedAt: string | null;
                            token: string;
                            groups: {
                                type: string;
                                cause: string | null;
                                count: number;
                            }[];
                            oldestAt: string | null;
                            newestAt: string | null;
                            samples: string[];
                            expectedSeconds: number;
                            cut: boolean;
                            excludedPending: number;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-batches/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Carry a previewed set out, the first event alone. Above ten its number must be sent; above a thousand another person, or an admin, must send it */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        token: string;
                        count?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EventBatch"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-batches/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Touch no further event */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EventBatch"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/event-batches/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A batch and what became of each event */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            verb: "requeue" | "discard";
                            filter: {
                                type?: string;
                                cause?: string;
                            };
                            /** @enum {string} */
                            status: "previewed" | "running" | "stopped" | "done";
                            total: number;
                            done: number;
                            skipped: number;
                            ratePerSecond: number;
                            reason: string;
                            actor: string;
                            executor: string | null;
                            why: string | null;
                            createdAt: string;
                            startedAt: string | null;
                            endedAt: string | null;
                            items: {
                                position: number;
                                eventId: string;
                                result: ("done" | "skipped") | null;
                                why: string | null;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why an event is where it is, and what happens next */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            code: string;
                            sentence: string;
                            nextAt: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why an order is where it is: each of its events that has not come to an end */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            orderId: string;
                            orderNo: string;
                            status: string;
                            complaint: {
                                id: string;
                                state: string;
                                since: string;
                            } | null;
                            events: {
                                code: string;
                                sentence: string;
                                nextAt: string | null;
                                id: string;
                                type: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pauses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is paused now */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                scope: "type" | "target";
                                name: string;
                                type: string;
                                fromAt: string;
                                untilAt: string;
                                actor: string;
                                reason: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Claim nothing of a type, or of a vendor, for some minutes */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        scope: "type" | "target";
                        name: string;
                        minutes: number;
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                scope: "type" | "target";
                                name: string;
                                type: string;
                                fromAt: string;
                                untilAt: string;
                                actor: string;
                                reason: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/pauses/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a pause before its time */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        scope: "type" | "target";
                        name: string;
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                scope: "type" | "target";
                                name: string;
                                type: string;
                                fromAt: string;
                                untilAt: string;
                                actor: string;
                                reason: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/causes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Failures grouped by their cause, the latest first */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Cause"][];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/causes/{id}/know": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** No more messages about an open cause until it has recovered and comes back */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cause"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/causes/{id}/unknow": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A known cause is to ring again */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cause"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What people did by hand, the latest first */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["OperatorAction"][];
                            nextCursor: string | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/books": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Do the books agree? Sums, differences, guilty orders */
        get: {
            parameters: {
                query?: {
                    day?: string;
                    againstVendors?: "true" | "false";
                    after?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            agree: boolean;
                            pending: number;
                            sums: {
                                name: string;
                                expected: number;
                                actual: number;
                                difference: number;
                            }[];
                            guilty: {
                                /** @enum {string} */
                                kind: "stock-differs" | "event-errored" | "meal-missing" | "meal-of-ended-order" | "meal-unknown-to-us" | "money-missing" | "money-kept" | "payment-stuck" | "placement-stuck" | "refund-stuck" | "coffee-stuck" | "consumption-stuck";
                                orderId: string | null;
                                orderNo: string | null;
                                what: string;
                                eventId: string | null;
                            }[];
                            vendors: {
                                compared: number;
                                unanswered: number;
                                notReached: number;
                                next: string | null;
                                guilty: {
                                    /** @enum {string} */
                                    kind: "stock-differs" | "event-errored" | "meal-missing" | "meal-of-ended-order" | "meal-unknown-to-us" | "money-missing" | "money-kept" | "payment-stuck" | "placement-stuck" | "refund-stuck" | "coffee-stuck" | "consumption-stuck";
                                    orderId: string | null;
                                    orderNo: string | null;
                                    what: string;
                                    eventId: string | null;
                                }[];
                            } | null;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/books/repairs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A dry run: what would mend each difference of one day */
        get: {
            parameters: {
                query: {
                    day: string;
                    after?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            unanswered: number;
                            notReached: number;
                            next: string | null;
                            remedies: {
                                /** @enum {string} */
                                kind: "stock-differs" | "event-errored" | "meal-missing" | "meal-of-ended-order" | "meal-unknown-to-us" | "money-missing" | "money-kept" | "payment-stuck" | "placement-stuck" | "refund-stuck" | "coffee-stuck" | "consumption-stuck";
                                orderId: string | null;
                                orderNo: string | null;
                                eventId: string | null;
                                what: string;
                                /** @enum {string} */
                                verb: "record" | "requeue" | "recount" | "decide";
                                eventType: string | null;
                                remedy: string;
                                careful: boolean;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        /** Carry the plan out. Remedies marked careful only for the orders that are named */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        day: string;
                        after?: string;
                        /** @default [] */
                        orderNos?: string[];
                        reason: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            unanswered: number;
                            notReached: number;
                            next: string | null;
                            results: {
                                /** @enum {string} */
                                kind: "stock-differs" | "event-errored" | "meal-missing" | "meal-of-ended-order" | "meal-unknown-to-us" | "money-missing" | "money-kept" | "payment-stuck" | "placement-stuck" | "refund-stuck" | "coffee-stuck" | "consumption-stuck";
                                orderId: string | null;
                                orderNo: string | null;
                                eventId: string | null;
                                what: string;
                                /** @enum {string} */
                                verb: "record" | "requeue" | "recount" | "decide";
                                eventType: string | null;
                                remedy: string;
                                careful: boolean;
                                /** @enum {string} */
                                result: "done" | "skipped";
                                recordedEventId: string | null;
                                why: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        OrderInput: {
            id: string;
            orderNo: string;
            userId: string;
            garden: string;
            corp: string;
            /** @enum {string} */
            status: "PAYING" | "ORDERING" | "ORDERED" | "USER_CANCEL" | "SYSTEM_CANCEL" | "ORDER_ERROR";
            dishId: string;
            dishName: string;
            sideboardId: string;
            addressId: string;
            edibleDate: string;
            /** @enum {string} */
            mealType: "BREAKFAST" | "LUNCH" | "DINNER";
            priceInCent: number;
            meicanOrderId: string | null;
            operator: string | null;
            /** @enum {string} */
            refund: "NONE" | "PENDING" | "DONE";
            /** @enum {string} */
            fulfilment: "NONE" | "COOKING" | "ON_THE_WAY" | "IN_CABINET" | "PICKED_UP" | "NOT_PICKED_UP" | "COMPLETED";
            grantedInCent: number;
            createdAt: string;
            updatedAt: string;
        };
        EventInput: {
            id: string;
            type: string;
            /** @enum {string} */
            status: "pending" | "handled" | "errored" | "discarded";
            orderId: string | null;
            orderNo: string | null;
            attempt: number;
            failures: number;
            failuresMax: number;
            runAt: string;
            leaseUntil: string | null;
            outcome: ("applied" | "rejected" | "not-applied" | "unknown") | null;
            lastError: {
                code: string;
                message: string;
            } | null;
            createdAt: string;
            settledAt: string | null;
        };
        CauseInput: {
            id: string;
            key: string;
            kind: string;
            /** @enum {string} */
            state: "open" | "known" | "regressed" | "recovered";
            type: string | null;
            cause: string;
            occurrences: number;
            firstAt: string;
            lastAt: string;
            known: {
                at: string;
                by: string;
                reason: string;
            } | null;
        };
        OperatorActionInput: {
            id: string;
            at: string;
            actor: string;
            role: string;
            verb: string;
            target: string;
            reason: string | null;
            before: string | null;
            after: string | null;
            requestId: string | null;
            ip: string | null;
        };
        ComplaintInput: {
            id: string;
            orderId: string;
            orderNo: string;
            /** @enum {string} */
            kind: "wrong-dish" | "quality" | "missing" | "late" | "other";
            text: string;
            wantedInCent: number;
            grantedInCent: number | null;
            /** @enum {string} */
            state: "APPLIED" | "ACCEPTED" | "RETURNED" | "INSPECTED" | "APPROVED" | "REFUNDED" | "REJECTED";
            reviews: {
                by: string;
                at: string;
                /** @enum {string} */
                verdict: "accept" | "reject" | "returned" | "inspected" | "not-confirmed" | "approve";
                note: string | null;
            }[];
            createdAt: string;
        };
        EventBatchInput: {
            id: string;
            /** @enum {string} */
            verb: "requeue" | "discard";
            filter: {
                type?: string;
                cause?: string;
            };
            /** @enum {string} */
            status: "previewed" | "running" | "stopped" | "done";
            total: number;
            done: number;
            skipped: number;
            ratePerSecond: number;
            reason: string;
            actor: string;
            executor: string | null;
            why: string | null;
            createdAt: string;
            startedAt: string | null;
            endedAt: string | null;
        };
        MenuInput: {
            garden: string;
            date: string;
            /** @enum {string} */
            mealType: "BREAKFAST" | "LUNCH" | "DINNER";
            corp: string;
            cutoffAt: string;
            dishes: {
                id: string;
                meicanDishId: string;
                name: string;
                priceInCent: number;
                stock: number;
                remaining: number;
            }[];
            sideboards: {
                id: string;
                location: string;
                addressId: string;
                capacity: number;
                remaining: number;
            }[];
        };
        Order: {
            id: string;
            orderNo: string;
            userId: string;
            garden: string;
            corp: string;
            /** @enum {string} */
            status: "PAYING" | "ORDERING" | "ORDERED" | "USER_CANCEL" | "SYSTEM_CANCEL" | "ORDER_ERROR";
            dishId: string;
            dishName: string;
            sideboardId: string;
            addressId: string;
            edibleDate: string;
            /** @enum {string} */
            mealType: "BREAKFAST" | "LUNCH" | "DINNER";
            priceInCent: number;
            meicanOrderId: string | null;
            operator: string | null;
            /** @enum {string} */
            refund: "NONE" | "PENDING" | "DONE";
            /** @enum {string} */
            fulfilment: "NONE" | "COOKING" | "ON_THE_WAY" | "IN_CABINET" | "PICKED_UP" | "NOT_PICKED_UP" | "COMPLETED";
            grantedInCent: number;
            createdAt: string;
            updatedAt: string;
        };
        Event: {
            id: string;
            type: string;
            /** @enum {string} */
            status: "pending" | "handled" | "errored" | "discarded";
            orderId: string | null;
            orderNo: string | null;
            attempt: number;
            failures: number;
            failuresMax: number;
            runAt: string;
            leaseUntil: string | null;
            outcome: ("applied" | "rejected" | "not-applied" | "unknown") | null;
            lastError: {
                code: string;
                message: string;
            } | null;
            createdAt: string;
            settledAt: string | null;
        };
        Cause: {
            id: string;
            key: string;
            kind: string;
            /** @enum {string} */
            state: "open" | "known" | "regressed" | "recovered";
            type: string | null;
            cause: string;
            occurrences: number;
            firstAt: string;
            lastAt: string;
            known: {
                at: string;
                by: string;
                reason: string;
            } | null;
        };
        OperatorAction: {
            id: string;
            at: string;
            actor: string;
            role: string;
            verb: string;
            target: string;
            reason: string | null;
            before: string | null;
            after: string | null;
            requestId: string | null;
            ip: string | null;
        };
        Complaint: {
            id: string;
            orderId: string;
            orderNo: string;
            /** @enum {string} */
            kind: "wrong-dish" | "quality" | "missing" | "late" | "other";
            text: string;
            wantedInCent: number;
            grantedInCent: number | null;
            /** @enum {string} */
            state: "APPLIED" | "ACCEPTED" | "RETURNED" | "INSPECTED" | "APPROVED" | "REFUNDED" | "REJECTED";
            reviews: {
                by: string;
                at: string;
                /** @enum {string} */
                verdict: "accept" | "reject" | "returned" | "inspected" | "not-confirmed" | "approve";
                note: string | null;
            }[];
            createdAt: string;
        };
        EventBatch: {
            id: string;
            /** @enum {string} */
            verb: "requeue" | "discard";
            filter: {
                type?: string;
                cause?: string;
            };
            /** @enum {string} */
            status: "previewed" | "running" | "stopped" | "done";
            total: number;
            done: number;
            skipped: number;
            ratePerSecond: number;
            reason: string;
            actor: string;
            executor: string | null;
            why: string | null;
            createdAt: string;
            startedAt: string | null;
            endedAt: string | null;
        };
        Menu: {
            garden: string;
            date: string;
            /** @enum {string} */
            mealType: "BREAKFAST" | "LUNCH" | "DINNER";
            corp: string;
            cutoffAt: string;
            dishes: {
                id: string;
                meicanDishId: string;
                name: string;
                priceInCent: number;
                stock: number;
                remaining: number;
            }[];
            sideboards: {
                id: string;
                location: string;
                addressId: string;
                capacity: number;
                remaining: number;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
