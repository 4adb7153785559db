import { IncomingMessage } from 'node:http'

const HANDSHAKE = /^GET \/ws(?:[?#]|$)/
const asked = Symbol('asked')
const granted = Symbol('granted')

/**
 * A request that asks for an upgrade only where there is one: `GET /ws` to a WebSocket. Any other is
 * answered as if it had not asked (RFC 9110, 7.8). Node would hand each to the one listener for
 * upgrades, then neither answer it nor watch its connection. From Node.js 24.9 on the server's option
 * `shouldUpgradeCallback` says the same.
 */
export class Request extends IncomingMessage {
  get upgrade () {
    if (!this[asked]) return false
    this[granted] ??= this.method === 'CONNECT' || isHandshake(this)
    return this[granted]
  }

  set upgrade (wanted) {
    this[asked] = wanted
  }

  /** Whether it asks for an upgrade that there is not. */
  get declined () {
    return Boolean(this[asked]) && !this.upgrade
  }
}

/** One that comes before an earlier request is answered is none: the connection is not free to go over. */
function isHandshake ({ method, url, headers, socket }) {
  const webSocket = headers.upgrade?.toLowerCase() === 'websocket' && HANDSHAKE.test(`${method} ${url}`)
  return webSocket && !socket._httpMessage
}
