import { expect, it } from 'vitest'
import { hasPrivateHost } from './private-host.ts'

it.each([
  'http://localhost:8080/v1',
  'http://127.0.0.1:8080/v1',
  'http://[::1]:8080/v1',
  'http://[::ffff:10.0.0.1]/v1',
  'https://192.168.1.5/v1',
  'http://100.64.0.1/v1',
  'http://169.254.1.1/v1',
  'http://sd-server:7860/v1',
  'http://gpu.internal/v1',
  'http://gpu.local./v1',
])('takes %s for private', (url) => {
  expect(hasPrivateHost(url)).toBe(true)
})

it.each([
  'https://api.openai.com/v1',
  'http://8.8.8.8/v1',
  'http://[2606:4700::1111]/v1',
  'https://127.0.0.1.example.com/v1',
])('takes %s for public', (url) => {
  expect(hasPrivateHost(url)).toBe(false)
})
