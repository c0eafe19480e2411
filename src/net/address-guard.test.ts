import { describe, expect, test } from 'vitest'
import { createAddressGuard, isPublicAddress } from './address-guard.ts'

const refused = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::8.8.8.8',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::ffff:0:10.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::808:808',
  '64:ff9b:1:a00:0:100::',
  '100::1',
  '100:0:0:1::1',
  '1fff:ffff::1',
  '2001:0:4136:e378:8000:63bf:f5ff:fffe',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:30::1',
  '2001:db8::1',
  '2002:a00:1::',
  '2002:808:808::1',
  '2a00:1450:4009:815:0:5efe:7f00:1',
  '2a00:1450:4009:815:200:5efe:7f00:1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
]

const allowed = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2606:4700:4700::1111',
  '2a00:1450:4009:815::5efe',
  '3ffe:ffff::1',
]

const noAddresses = [
  '',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '017700000001',
  '2130706433',
  '8.8.8.8 ',
  '8.8.8.8/32',
  '[::1]',
  '2606:4700::1%eth0',
  '08.08.08.08',
]

describe('isPublicAddress', () => {
  test.each(refused)('refuses %s', (ip) => expect(isPublicAddress(ip)).toBe(false))
  test.each(allowed)('allows %s', (ip) => expect(isPublicAddress(ip)).toBe(true))
  test.each(noAddresses)('refuses %j, which is no address', (text) =>
    expect(isPublicAddress(text)).toBe(false),
  )

  test('judges IPv6 by number, not by spelling', () => {
    expect(isPublicAddress('0:0:0:0:0:FFFF:7F00:0001')).toBe(false)
    expect(isPublicAddress('2606:4700:4700:0000:0000:0000:0000:1111')).toBe(true)
  })
})

describe('the address guard', () => {
  const ownAddresses = () => ['8.8.4.4', '2606:4700:0:0::5', 'fe80::1']

  test('opens exactly the networks of the list', () => {
    const guard = createAddressGuard({ allowPrivate: ['10.1.0.0/16', 'fd00:1::/32'], ownAddresses })
    for (const ip of ['10.1.0.0', '10.1.255.255', 'fd00:1::5', '8.8.8.8']) expect(guard(ip)).toBe(true)
    for (const ip of ['10.0.255.255', '10.2.0.0', 'fd00:2::5', '::ffff:10.1.0.1'])
      expect(guard(ip)).toBe(false)
  })

  test('refuses the public addresses of this machine unless the list opens them', () => {
    const guard = createAddressGuard({ allowPrivate: [], ownAddresses })
    expect(guard('8.8.4.4')).toBe(false)
    expect(guard('2606:4700::5')).toBe(false)
    expect(guard('8.8.4.5')).toBe(true)
    expect(createAddressGuard({ allowPrivate: ['8.8.4.4/32'], ownAddresses })('8.8.4.4')).toBe(true)
  })

  test.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0/8',
    '012.0.0.0/8',
    'localhost/8',
    '::/129',
    '/8',
    '10.0.0.0/8/8',
    '',
  ])('names %j as no network', (entry) => {
    expect(() => createAddressGuard({ allowPrivate: ['10.0.0.0/8', entry] })).toThrow(
      `"${entry}" is no network`,
    )
  })
})
