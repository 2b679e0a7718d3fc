import { describe, expect, it } from 'vitest';
import { meantFor } from '../../src/app/misspelt.js';
import { loadSettings, SettingsInvalid } from '../../src/app/settings.js';
import { sandboxSettings } from '../../src/dev/sandbox/defaults.js';

const env = {
  ...Object.fromEntries(
    Object.entries(sandboxSettings('http://127.0.0.1:1')).map(([key, value]) => [key, String(value)]),
  ),
  DATABASE_URL: 'sqlite:./x.db',
  AUTH_JWT_SECRET: 'a-secret-of-thirty-two-bytes-at-least',
};
const problemsOf = (more: Record<string, string>): readonly string[] => {
  try {
    loadSettings({ env: { ...env, ...more } });
    return [];
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.problems;
    throw error;
  }
};

/** What a process finds in its environment without anybody having set it for lunchbox. */
const ordinary = Object.fromEntries(
  `PATH=/bin HOME=/root USER=u LOGNAME=u SHELL=/bin/bash PWD=/ OLDPWD=/ TERM=xterm LANG=C LC_ALL=C TZ=UTC
   SHLVL=1 _=/bin/node MAIL=/m EDITOR=vi PAGER=less HOSTNAME=h HOSTTYPE=x OSTYPE=l PS1= DISPLAY=:0 XDG_RUNTIME_DIR=/r
   SSH_AUTH_SOCK=/s SSH_CONNECTION=1 DBUS_SESSION_BUS_ADDRESS=x http_proxy=x HTTPS_PROXY=x no_proxy=x host=x POST=1 PORTS=1 HOSTS=x
   NODE_ENV= NODE_OPTIONS= NODE_PATH= NODE_VERSION=20 YARN_VERSION=1 NODE_EXTRA_CA_CERTS=/c npm_config_cache=/c npm_config_loglevel=warn
   npm_package_config_port=1 npm_lifecycle_event=start npm_package_name=lunchbox npm_execpath=/n INIT_CWD=/ COLOR=1 UV_THREADPOOL_SIZE=4
   INVOCATION_ID=x JOURNAL_STREAM=1:2 SYSTEMD_EXEC_PID=1 NOTIFY_SOCKET=/n WATCHDOG_PID=1 WATCHDOG_USEC=1 LISTEN_FDS=1 LISTEN_PID=1
   STATE_DIRECTORY=/s RUNTIME_DIRECTORY=/r LOGS_DIRECTORY=/l CONFIGURATION_DIRECTORY=/c CREDENTIALS_DIRECTORY=/c MEMORY_PRESSURE_WATCH=/m MAINPID=1
   KUBERNETES_SERVICE_HOST=10.0.0.1 KUBERNETES_PORT=tcp://10.0.0.1:443 KUBERNETES_SERVICE_PORT_HTTPS=443 KUBERNETES_PORT_443_TCP_ADDR=10.0.0.1
   LUNCHBOX_SERVICE_HOST=10.0.0.2 LUNCHBOX_SERVICE_PORT=80 LUNCHBOX_PORT=tcp://10.0.0.2:80 LUNCHBOX_PORT_80_TCP=tcp://10.0.0.2:80 LUNCHBOX_PORT_80_TCP_PROTO=tcp
   MEICAN_SERVICE_HOST=10.0.0.3 MEICAN_PORT=tcp://10.0.0.3:80 MEICAN_PORT_80_TCP_PORT=80 ENERGY_SERVICE_PORT_HTTP=80 WECOM_PORT_443_TCP=tcp://1.1.1.1:443
   SANDBOX_SERVICE_HOST=10.0.0.4 SANDBOX_PORT=tcp://10.0.0.4:3900 METRICS_PORT=tcp://10.0.0.5:9464 REDIS_PORT=tcp://10.0.0.6:6379 REDIS_SERVICE_HOST=10.0.0.6
   MARIADB_PORT_3306_TCP_ADDR=10.0.0.7 DATABASE_SERVICE_HOST=10.0.0.7 DATABASE_PORT=tcp://10.0.0.7:3306 POD_NAME=p POD_IP=1 NODE_NAME=n MY_POD_NAMESPACE=x
   REDIS_HOST=r REDIS_PASSWORD=x MYSQL_HOST=m DATABASE_PASSWORD=x DATABASE_NAME=x JWT_SECRET=x SECRET_KEY=x LOG_DIR=/l LOG_FORMAT=json LOG_FILE=/l
   OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_SERVICE_NAME=x SENTRY_DSN=x CI=true GITHUB_ACTIONS=true BUILD_NUMBER=1 DEBUG= FORCE_COLOR=1 APP_ENV=x
   PUBLIC_IP=1 BASE_URL=x SERVICE_URL=x TEST_DATABASE_URL=x SEED=1 MYSQL_DATABASE_URL=x DB_POOL_SIZE=5 PUBLIC_KEY=x TRACE_ID=x READ_TIMEOUT=1`
    .split(/\s+/)
    .map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
);

describe('the environment', () => {
  it('of a shell, npm, systemd, Docker and Kubernetes stops no start', () =>
    expect(problemsOf(ordinary)).toEqual([]));

  it('the links to services change no setting of the same name', () =>
    expect(loadSettings({ env: { ...env, ...ordinary } })).toMatchObject({
      SANDBOX_PORT: 3900,
      METRICS_PORT: undefined,
    }));

  it.each([
    ['REDIS_URL', 'REDIS_URLS'],
    ['REDIS_URI', 'REDIS_URLS'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['URL_DATABASE', 'DATABASE_URL'],
    ['Database_Url', 'DATABASE_URL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['LOG_LEVLE', 'LOG_LEVEL'],
    ['READONLY', 'READ_ONLY'],
    ['PUBLIC_URLS', 'PUBLIC_URL'],
    ['PROT', 'PORT'],
    ['HSOT', 'HOST'],
    ['LEASE_SM', 'LEASE_MS'],
    ['RETRY_LIMITS', 'RETRY_LIMIT'],
    ['MEICAN-CORP-TOKEN', 'MEICAN_CORP_TOKEN'],
    ['ALERT_USER', 'ALERT_USERS'],
    ['EVENT_KEEP_DAYS', 'EVENTS_KEEP_DAYS'],
    ['SHUTDOWN_TIMEOUT', null],
    ['PAYMENT_WINDWO_MS', 'PAYMENT_WINDOW_MS'],
    ['TRUSTED_PROXY', null],
  ])('%s stops the start, and %s is named', (name, meant) => {
    if (meant === null)
      return expect(meantFor(name, '1', ['SHUTDOWN_TIMEOUT_MS', 'TRUSTED_PROXIES'])).toBeUndefined(); // too far from it to be sure
    expect(problemsOf({ [name]: '1' })).toEqual([
      `${name} (the environment): there is no such setting; did you mean ${meant}?`,
    ]);
  });

  it('what begins as only ours do is named even if it resembles none', () =>
    expect(problemsOf({ MEICAN_NONSENSE: '1' })).toEqual([
      'MEICAN_NONSENSE (the environment): there is no such setting',
    ]));
});
