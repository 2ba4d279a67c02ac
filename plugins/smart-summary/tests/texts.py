"""Texts to summarise, written for these tests."""

HEAT_PUMPS = """# How heat pumps warm a house

A heat pump warms a house by moving heat from the outside air, the ground or water to the rooms, instead of making
heat by burning fuel. It works like a refrigerator turned around. A refrigerant evaporates in the outdoor unit and takes
up heat even from cold air; a compressor then raises its pressure and temperature, and the heat is released indoors
where the refrigerant condenses.

Because most of the heat is moved and not made, a heat pump delivers two to four times as much heat as the electricity
it uses. Engineers call this ratio the coefficient of performance, or COP. The COP falls as the difference between the
outside air and the heating water grows. In a mild winter at 7 °C an air-source heat pump may reach a COP of 4.2; at
-15 °C it may drop to 2.0. Dr. Lena Berg, who tested eleven models last winter, found that low water temperatures matter
more than the brand. "Large radiators or floor heating make any heat pump better," she said.

The outdoor unit needs a fan, and the fan makes some noise. Modern units stay below 50 decibels at one metre, about as
loud as quiet conversation. Towns set limits for the night, so the fan should not stand under a neighbour's bedroom.

My grandmother used to say that a warm kitchen is worth three coats. She baked bread on Saturdays.

Whether a heat pump saves money depends on the price of electricity compared with gas. Where electricity costs less than
three times as much as gas, a heat pump with a COP of 3 is cheaper to run. The purchase is expensive, but many countries
pay part of it. In poorly insulated houses, insulation should come first, since every heat pump works better when
the house needs less heat."""

BEES_DE = """Bienen bestäuben einen großen Teil der Pflanzen, die der Mensch isst. Ohne Bienen gäbe es z.B. deutlich
weniger Äpfel, Kirschen und Mandeln. Am 20. Mai wird deshalb der Weltbienentag gefeiert.

Wildbienen leben meist allein und sammeln Pollen für ihre Brut. Honigbienen leben dagegen in Völkern mit bis zu 50.000
Tieren. Beide leiden darunter, dass Blüten auf den Feldern seltener werden und Pestizide eingesetzt werden. Wer Bienen
helfen will, pflanzt heimische Blumen und lässt eine Ecke des Gartens wild. Auch auf einem Balkon finden Bienen Nahrung.
Mein Nachbar hat übrigens ein neues Fahrrad gekauft."""

TEA_ZH = """茶是世界上最受欢迎的饮料之一。中国是茶叶的故乡，种茶和饮茶的历史已有几千年。绿茶不经过发酵，保留了茶叶的清香。红茶经过完全发酵，味道更加浓厚。
乌龙茶介于绿茶和红茶之间。

云南、福建和浙江是中国重要的茶叶产区。每年春天，茶农在山上采摘新鲜的茶叶。春天采摘的茶叶品质最好，价格也最高。很多人喜欢在下午和朋友一起喝茶聊天。"""

ALL = (HEAT_PUMPS, BEES_DE, TEA_ZH)
