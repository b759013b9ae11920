import { create } from '@bufbuild/protobuf'
import type { DescMessage, MessageShape } from '@bufbuild/protobuf'

/** A shallow copy of a message with some fields replaced; unknown fields come along. (`create` would adopt a spread object as it is, without the defaults of its prototype.) */
export function changed<T extends DescMessage>(
  schema: T,
  message: MessageShape<T>,
  changes: Partial<MessageShape<T>>,
): MessageShape<T> {
  return Object.assign(create(schema), message, changes)
}
