import { randomUUID } from 'node:crypto';
import { runProcess } from './app/process.js';
import { privateFolder } from './base/private-files.js';
import { demoDay, demoGarden, embeddedFallback, startEmbedded, tokenFor } from './dev/embedded.js';
import { getMenu } from './orders/menu.js';

if (process.env.NODE_ENV === 'production') {
  process.stderr.write(
    'lunchbox: this entry is for trying (sandbox vendors, a menu of its own, an operator’s token on the screen) and refuses NODE_ENV=production;\n' +
      'run dist/cli.js migrate, then dist/api.js and dist/scheduler.js\n',
  );
  process.exit(1);
}

/** `npm start`: everything in one process, ready to be tried. */
const fallback = embeddedFallback('./data');
await runProcess('lunchbox', { fallback }, async (settings, logger) => {
  if (settings.SANDBOX_STATE === fallback.SANDBOX_STATE) privateFolder('./data'); // the folder is ours alone
  const embedded = await startEmbedded(settings, process.env, logger);
  process.stdout.write(await banner(embedded));
  return embedded;
});

async function banner({ url, sandbox, runtime }: Awaited<ReturnType<typeof startEmbedded>>): Promise<string> {
  const date = demoDay();
  const menu = await getMenu(runtime.database, { garden: demoGarden, date, mealType: 'LUNCH' });
  const [dish, sideboard] = [menu.dishes[0], menu.sideboards[0]];
  const sub = `demo-${randomUUID().slice(0, 8)}`; // a new person each time: one live order a meal
  const canSign = runtime.settings.AUTH_JWT_SECRET !== undefined;
  const token = canSign ? await tokenFor(runtime.settings, sub, 'operator') : '<a token of your issuer>';
  const auth = `-H 'Authorization: Bearer ${token}'`;
  const body = JSON.stringify({
    garden: demoGarden,
    meals: [{ dishId: dish?.id, sideboardId: sideboard?.id, edibleDate: date, mealType: 'LUNCH' }],
  });
  const latest = `$(curl -s "${url}/v1/orders?userId=${sub}&limit=1" ${auth} | grep -o '"id":"[0-9]*"' | head -1 | grep -o '[0-9]*')`;
  return `
lunchbox runs. Not for production: ${runtime.database.dialect.name === 'sqlite' ? 'one file, one process' : 'one process'}${sandbox ? ', vendors from the sandbox' : ''}.

  API      ${url}
  docs     ${url}/docs
  console  ${url}/console/   (sign in with the token)
${sandbox ? `  sandbox  ${sandbox.url}/__sandbox/ledger\n` : ''}
  token    ${token}
           (operator ${sub}, seven days)

  order:
curl -s -X POST ${url}/v1/orders ${auth} -H 'Content-Type: application/json' -H 'Idempotency-Key: order-${sub}' -d '${body}'

  look (ORDERED within moments):
curl -s "${url}/v1/orders?userId=${sub}&limit=1" ${auth}

  cancel:
curl -s -X POST "${url}/v1/orders/${latest}/cancel" ${auth} -H 'Content-Type: application/json' -H 'Idempotency-Key: cancel-${sub}' -d '{"reason":"changed my mind"}'

`;
}
