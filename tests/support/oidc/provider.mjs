// A real identity provider on a free port of this machine, for the tests. Reads lines of JSON: the first says how it
// is to be, each later one changes something and is answered by a line. Ends when its input ends.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

function newKeys() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' }] };
}

// One provider; a new one over the same memory is the same provider with other keys.
function provider(issuer, wanted, jwks) {
  return new Provider(issuer, {
    clients: [{
      client_id: wanted.client_id,
      client_secret: wanted.client_secret,
      redirect_uris: wanted.redirect_uris,
      token_endpoint_auth_method: wanted.auth_method ?? 'client_secret_basic',
    }],
    clientAuthMethods: [wanted.auth_method ?? 'client_secret_basic'],
    findAccount: (ctx, id) => wanted.users[id] && {
      accountId: id,
      claims: () => ({ sub: wanted.users[id].sub ?? id, ...wanted.users[id] }),
    },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: wanted.claims_at_userinfo ?? true,
    pkce: { required: () => true },
    cookies: { keys: ['only for tests'] },
    ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
    jwks,
  });
}

let wanted;
let keys = newKeys();
let serve = (request, response) => response.writeHead(503).end();
const server = createServer((request, response) => serve(request, response));

function renew() {
  serve = provider(`http://127.0.0.1:${server.address().port}`, wanted, keys).callback();
}

server.listen(0, '127.0.0.1', () => {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const { rotate, ...changes } = JSON.parse(line);
    wanted = { ...wanted, ...changes };
    if (rotate) keys = newKeys();
    renew();
    say({ issuer: `http://127.0.0.1:${server.address().port}`, kid: keys.keys[0].kid });
  });
  lines.on('close', () => process.exit(0));
});
