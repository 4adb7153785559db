import { IncomingMessage } from 'node:http'

const HANDSHAKE = /^GET \/ws(?:[?#]|$)/
const asked = Symbol('asked')

/**
 * A request that asks for an upgrade only where there is one: `GET /ws` to a WebSocket. Any other is
 * answered as if it had not asked (RFC 9110, 7.8). Node would hand each to the one listener for
 * upgrades, then neither answer it nor watch its connection. From Node.js 24.9 on the server's option
 * `shouldUpgradeCallback` says the same.
 */
export class Request extends IncomingMessage {
  get upgrade () {
    return Boolean(this[asked]) && (this.method === 'CONNECT' || isHandshake(this))
  }

  set upgrade (wanted) {
    this[asked] = wanted
  }
}

function isHandshake ({ method, url, headers }) {
  return headers.upgrade?.toLowerCase() === 'websocket' && HANDSHAKE.test(`${method} ${url}`)
}
