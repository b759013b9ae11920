import { availableParallelism } from 'node:os'

// As src/engine/session.ts does: what is set inside a test does not reach the native runtime.
process.env.ORT_DISABLE_TELEMETRY = '1'

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/__tests__/support/hostTypedArrays.mjs',
  globalSetup: '<rootDir>/__tests__/support/transpile.mjs',
  setupFilesAfterEnv: ['<rootDir>/__tests__/support/examples.mjs'],
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  testTimeout: 120_000,
  // Much of the time goes to what is waited for: GitHub asks for a second between two writes, and the action keeps to it.
  maxWorkers: availableParallelism() + 1,
}
