import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Language, Scene } from './scene.js';

/** `npm run screenshots`: overview, order page and event page, in both languages, as docs/screenshots shows them. */
const directory = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
mkdirSync(directory, { recursive: true });
const scene = await Scene.open();
try {
  const [event] = await scene.parked('fred', 'gina', 'hans');
  if (!event) throw new Error('nothing is parked');
  await scene.call('POST', `/v1/events/${event.eventId}/ask`, {});
  for (const language of ['zh', 'en'] as Language[]) {
    const { context, page } = await scene.visitor({ language, width: 1100, height: 800 });
    await scene.signIn(context);
    for (const [name, url] of [
      ['overview', '/console/'],
      ['order', `/console/orders/${event.order.id}`],
      ['event', `/console/events/${event.eventId}`],
    ] as const) {
      await page.goto(`${scene.url}${url}`);
      await page.screenshot({
        path: `${directory}${name}-${language}.png`,
        clip: { x: 0, y: 0, width: 1100, height: 1000 },
        fullPage: true,
      });
      console.log(`docs/screenshots/${name}-${language}.png`);
    }
    await context.close();
  }
} finally {
  await scene.close();
}
