import { createLogger } from './app/logging.js';
import { loadSettings, SettingsInvalid } from './app/settings.js';
import { sandboxSecrets } from './dev/sandbox/defaults.js';
import { makePayerKeys } from './dev/sandbox/payers/keys.js';
import { Sandbox } from './dev/sandbox/server.js';

/** The vendors and payers on one port, for trying and testing. Needs no other setting than SANDBOX_PORT. */
try {
  const settings = loadSettings({
    env: process.env,
    only: ['SANDBOX_PORT', 'SANDBOX_STATE', 'SANDBOX_LEGACY_MODE', 'LOG_LEVEL'],
  });
  const { env } = process;
  const sandbox = await Sandbox.start({
    host: '127.0.0.1',
    port: settings.SANDBOX_PORT,
    stateFile: settings.SANDBOX_STATE,
    legacyMode: settings.SANDBOX_LEGACY_MODE,
    payerKeys: await makePayerKeys(),
    secrets: {
      meicanCorpToken: env.MEICAN_CORP_TOKEN ?? sandboxSecrets.meicanCorpToken,
      energyAppSecret: env.ENERGY_APP_SECRET ?? sandboxSecrets.energyAppSecret,
      wecomCorpSecret: env.WECOM_CORP_SECRET ?? sandboxSecrets.wecomCorpSecret,
    },
  });
  createLogger(settings.LOG_LEVEL, 'sandbox').info({ url: sandbox.url }, 'sandbox listens');
  const stop = (): void => void sandbox.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.stderr.write(
    `sandbox: ${code === 'EADDRINUSE' ? 'the port is taken; set SANDBOX_PORT to another one' : error instanceof SettingsInvalid ? message : `cannot start: ${message}`}\n`,
  );
  process.exit(1);
}
