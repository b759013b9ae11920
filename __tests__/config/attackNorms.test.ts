import { expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'

const config = (text: string) => parseConfig({ file: { name: 'robustness.yml', text } })

test.each(['cw', 'ddn'])('%s under another norm than L2 is refused before anything is run', (name) => {
  const suite = `suite: { attacks: [{name: fgsm}, {name: ${name}}] }`
  expect(() => config(`${suite}\nnorm: linf\nepsilon: 0.1`)).toThrow(
    `the attack ${name} works in l2 only; threat linf-0.1 is linf; take one of them out`,
  )
  expect(() => config(`${suite}\nthreats: [{norm: l2, epsilon: 1}, {norm: linf, epsilon: 8/255}]`)).toThrow(
    `the attack ${name} works in l2 only; threat linf-8_255 is linf; take one of them out`,
  )
  expect(config(`${suite}\nnorm: l2\nepsilon: 1`).suite.attacks.map((attack) => attack.name)).toEqual(['fgsm', name])
})
