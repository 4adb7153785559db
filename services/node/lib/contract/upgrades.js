const HANDSHAKE = /^GET \/ws(?:[?#]|$)/

/**
 * Leave upgrades to a WebSocket on `GET /ws` to the server's listener, and answer any other request as
 * if it had not asked (RFC 9110, 7.8). Node hands each to that listener as soon as there is one, without
 * its body, and no longer watches its connection.
 */
export function restrictUpgrades (server) {
  const [shakeHands] = server.listeners('upgrade')
  server.removeAllListeners('upgrade')
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    inTurn(socket, () => {
      if (!isHandshake(request)) return readAgain(server, request, socket, head)
      shakeHands(request, socket, head)
    })
  })
}

function isHandshake ({ method, url, headers }) {
  return headers.upgrade.toLowerCase() === 'websocket' && HANDSHAKE.test(`${method} ${url}`)
}

/** Once the requests before it on the connection are answered; Node has no public name for them. */
function inTurn (socket, proceed) {
  if (socket.destroyed) return
  if (socket._httpMessage) socket._httpMessage.once('close', () => inTurn(socket, proceed))
  else proceed()
}

/** Give the connection back to the server, from the request's first byte on but for its wish. */
function readAgain (server, { method, url, httpVersion, rawHeaders }, socket, head) {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index].toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
  socket.resume()
}
