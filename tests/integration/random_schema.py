"""Random JSON schemas of the kinds that clients send: objects of objects, lists, choices, references, bounds."""
import random
import string

WORDS = ("name", "city", "age", "price", "tags", "address", "id", "count", "note", "größe", "a b", "x\"y", "is_ok", "items",
         "parent", "date", "score", "kind", "value", "名前")


class SchemaMaker:
    """One schema for each seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.definitions = {}

    def make(self):
        schema = self.object(0) if self.chance(0.8) else self.any_kind(0)
        if self.definitions:
            schema = {**schema, "$defs": self.definitions}
        return schema

    def chance(self, of):
        return self.random.random() < of

    def any_kind(self, depth):
        makers = [self.string, self.integer, self.number, self.boolean, self.listed, self.null_or]
        if depth < 3:
            makers += [self.object, self.array, self.tuple, self.choice, self.one_of, self.joined, self.reference]
        schema = self.random.choice(makers)(depth)
        if self.chance(0.1):
            schema = {**schema, "description": "Some text.", "title": "A title"}
        return schema

    def object(self, depth):
        names = self.random.sample(WORDS, self.random.randint(1, 5 - depth))
        schema = {"type": "object", "properties": {name: self.any_kind(depth + 1) for name in names}}
        required = [name for name in names if self.chance(0.7)]
        if required:
            schema["required"] = required
        extra = self.random.random()
        if extra < 0.6:
            schema["additionalProperties"] = False
        elif extra < 0.7:
            schema["additionalProperties"] = self.random.choice(({"type": "integer"}, {"type": "string"}, True))
        if self.chance(0.1):
            schema["minProperties"] = self.random.randint(0, len(names))
        if self.chance(0.1):
            schema["maxProperties"] = self.random.randint(max(len(required), schema.get("minProperties", 0)), 6)
        return schema

    def array(self, depth):
        schema = {"type": "array", "items": self.any_kind(depth + 1)}
        if self.chance(0.4):
            schema["minItems"] = self.random.randint(0, 3)
        if self.chance(0.6):
            schema["maxItems"] = schema.get("minItems", 0) + self.random.randint(0, 4)
        return schema

    def tuple(self, depth):
        prefix = [self.any_kind(depth + 1) for _ in range(self.random.randint(1, 3))]
        schema = {"type": "array", "prefixItems": prefix}
        if self.chance(0.6):
            schema["items"] = self.random.choice((False, {"type": "boolean"}))
        if self.chance(0.5):
            schema["minItems"] = self.random.randint(0, len(prefix))
        return schema

    def string(self, _depth):
        kind = self.random.random()
        if kind < 0.4:
            return {"type": "string"}
        if kind < 0.6:
            low = self.random.randint(0, 10)
            return {"type": "string", "minLength": low, "maxLength": low + self.random.randint(0, 30)}
        if kind < 0.8:
            return {"type": "string", "format": self.random.choice(
                ("date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "hostname", "uri"))}
        return {"type": "string", "pattern": self.random.choice(
            (r"^[A-Z]{2,5}-\d{3}$", r"^\w+$", r"\d", r"^(red|green|blue)( light)?$", r"^[^\s\"]{1,9}\\?$", r"^a.c[x-z]*$",
             r"^\+?[0-9 ]{5,12}$", r"^é+$|^\S{3}$"))}

    def integer(self, _depth):
        schema = {"type": "integer"}
        if self.chance(0.4):
            schema[self.random.choice(("minimum", "exclusiveMinimum"))] = self.random.randint(-1000, 1000)
        if self.chance(0.4):
            low = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
            schema[self.random.choice(("maximum", "exclusiveMaximum"))] = low + self.random.randint(2, 5000)
        elif self.chance(0.2):
            schema["multipleOf"] = self.random.choice((1, 10, 100))
        return schema

    def number(self, _depth):
        schema = {"type": "number"}
        if self.chance(0.5):
            schema[self.random.choice(("minimum", "exclusiveMinimum"))] = round(self.random.uniform(-100, 100), 2)
        if self.chance(0.5):
            low = schema.get("minimum", schema.get("exclusiveMinimum", -100))
            schema[self.random.choice(("maximum", "exclusiveMaximum"))] = low + round(self.random.uniform(0.1, 500), 2)
        return schema

    def boolean(self, _depth):
        return {"type": "boolean"}

    def listed(self, _depth):
        values = [self.random.choice((1, 2.5, None, True, "", "two words", "\"quoted\"", "ü", [1], {"a": None}, -3))
                  for _ in range(3)]
        values += ["".join(self.random.choices(string.ascii_letters, k=5))]
        return {"const": values[0]} if self.chance(0.2) else {"enum": values}

    def null_or(self, depth):
        kind = self.random.choice(("string", "integer", "boolean"))
        return {"type": [kind, "null"]} if self.chance(0.5) else {"anyOf": [self.string(depth), {"type": "null"}]}

    def choice(self, depth):
        return {"anyOf": [self.any_kind(depth + 1) for _ in range(self.random.randint(1, 3))]}

    def one_of(self, depth):
        kinds = self.random.sample(("cat", "dog", "bird"), 2)
        return {"oneOf": [{"type": "object", "properties": {"kind": {"const": kind}, "data": self.any_kind(depth + 1)},
                           "required": ["kind", "data"], "additionalProperties": False} for kind in kinds]}

    def joined(self, depth):
        return {"allOf": [{"type": "object", "properties": {"a": self.string(depth)}, "required": ["a"]},
                          {"properties": {"b": self.any_kind(depth + 1), "a": {"type": "string"}}}]}

    def reference(self, _depth):
        if "node" not in self.definitions:
            self.definitions["node"] = {
                "type": "object",
                "properties": {"value": self.integer(0), "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                               "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 3}},
                "required": ["value"], "additionalProperties": False}
        return {"$ref": "#/$defs/node"}
