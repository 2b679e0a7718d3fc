import type { SandboxSecrets } from './vendor.js';

/** The sandbox's own secrets: no secrets at all, and good for nothing else. */
export const sandboxSecrets: SandboxSecrets = {
  meicanCorpToken: 'sandbox-corp-token',
  energyAppSecret: 'sandbox-secret',
  wecomCorpSecret: 'sandbox-wecom-secret',
};

/** The settings that make a lunchbox talk to a sandbox at `url`. */
export function sandboxSettings(url: string) {
  return {
    MEICAN_BASE_URL: `${url}/meican`,
    MEICAN_CORP_TOKEN: sandboxSecrets.meicanCorpToken,
    ENERGY_BASE_URL: `${url}/energy`,
    ENERGY_APP_ID: 'sandbox-app',
    ENERGY_APP_SECRET: sandboxSecrets.energyAppSecret,
    WECOM_WEBHOOK_URL: `${url}/wecom/cgi-bin/webhook/send?key=sandbox-robot-key`,
    WECOM_BASE_URL: `${url}/wecom`,
    WECOM_CORP_ID: 'sandbox-corp',
    WECOM_CORP_SECRET: sandboxSecrets.wecomCorpSecret,
    WECOM_AGENT_ID: 1_000_002,
  };
}
