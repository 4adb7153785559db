import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'pg-connection-string'

/** A setting that cannot be used; the message is one line and names the variable. */
export class SettingsError extends Error {}

/** The service's settings from its environment. Throws SettingsError. */
export function readSettings (environment = process.env) {
  return {
    service: required(environment, 'SERVICE_NAME'),
    databaseUrl: databaseUrl(environment),
    databasePassword: password(environment.DATABASE_PASSWORD_FILE),
    host: environment.HOST || '127.0.0.1',
    port: number(environment, 'PORT', 8000, 65535),
    metricsPort: number(environment, 'METRICS_PORT', 9000, 65535),
    workers: number(environment, 'WORKERS', 1, 256),
    poolSize: number(environment, 'POOL_SIZE', 1, 10000),
    metrics: choice(environment, 'LAB_METRICS', ['on', 'off']) === 'on',
    sessionSecret: environment.LAB_SESSION_SECRET || randomBytes(32).toString('hex')
  }
}

function required (environment, name) {
  const text = environment[name]
  if (!text) {
    throw new SettingsError(`${name} is not set; docker-compose.yml shows what a service needs`)
  }
  return text
}

function databaseUrl (environment) {
  const text = required(environment, 'DATABASE_URL')
  try {
    if (/^postgres(ql)?:\/\//.test(text)) return parse(text) && text
  } catch {}
  throw new SettingsError('DATABASE_URL is not of the form postgresql://user@host:port/database')
}

function number (environment, name, fallback, max) {
  const text = environment[name] || String(fallback)
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) < 1 || Number(text) > max) {
    throw new SettingsError(`${name} is '${text}'; set it to a whole number from 1 to ${max}`)
  }
  return Number(text)
}

function choice (environment, name, choices) {
  const text = environment[name] || choices[0]
  if (!choices.includes(text)) {
    throw new SettingsError(`${name} is '${text}'; set it to ${choices.join(' or ')}`)
  }
  return text
}

function password (path) {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new SettingsError(`DATABASE_PASSWORD_FILE: ${path}: ${error.code}`)
  }
}
