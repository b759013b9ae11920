import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** DESIGN: one way through the house. A room may import from rooms to its left only (and from itself). */
const rooms = [
  'config',
  'data',
  'remote',
  'onnx',
  'autodiff',
  'attacks',
  'engine',
  'sandbox',
  'runtime',
  'evaluation',
  'comparison',
  'report',
  'github',
  'gate',
  'jobs',
]

const oneWay = rooms.map((room, place) => ({
  files: [`src/${room}/**/*.ts`, `src/${room}.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(${[...rooms.slice(place + 1), 'main', 'cli'].join('|')})(/|\\.js$)`,
            message: `${room}/ may import only from rooms to its left: ${rooms.slice(0, place).join(', ') || 'none'}.`,
          },
        ],
      },
    ],
  },
}))

export default tseslint.config(
  { ignores: ['dist', '.build', 'node_modules', 'coverage', 'fixtures'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'require-yield': 'off',
    },
  },
  ...oneWay,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        globalThis: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
)
