/**
 * Collects for one scrape at a time. Those that come meanwhile share the next collection, and one that
 * nobody waits for any more is left out: a machine too busy to answer does not fall behind.
 */
export class Scrapes {
  #waiting = new Set()
  #collect
  #due = false

  /** @param {() => Promise<{type: string, text: string}>} collect reads everything anew */
  constructor (collect) {
    this.#collect = collect
  }

  /** Answer with what is collected from now on. */
  answer (response) {
    this.#waiting.add(response)
    response.once('close', () => this.#waiting.delete(response))
    if (this.#due) return
    this.#due = true
    // Once all that has arrived is read: who has hung up is gone then.
    setTimeout(() => this.#serve(), 1)
  }

  async #serve () {
    try {
      while (this.#waiting.size > 0) {
        const waiting = [...this.#waiting]
        this.#waiting.clear()
        const { type, text } = await this.#collect()
        for (const response of waiting) response.writeHead(200, { 'content-type': type }).end(text)
      }
    } finally {
      this.#due = false
    }
  }
}
