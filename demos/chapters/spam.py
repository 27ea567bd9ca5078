"""Is this mail spam?

Networks that read: 2,000 real mails as sets of words, as learned vectors, and as
sequences with a convolution and with an LSTM; which words give spam away, and a field for
a mail of your own.

A network computes with numbers, and a mail is words. This chapter turns words into
numbers in four ways and compares them. Press **Run**.
"""

import csv

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 5, "data": ["mails.csv"], "merit": ("best", ">", 0.95, "of the mails are sorted correctly")}
pyml.utils.set_random_seed(5)

# %% [markdown]
# ## The data
# Mails of the year 2002, half of them spam, collected by the SpamAssassin project. Of
# each there are the first words of its subject and its text, without addresses and
# numbers. A quarter is put aside as a test.

# %%
with open(chapter.file("mails.csv"), newline="") as file:
    rows = list(csv.DictReader(file))
rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
texts = [row["text"] for row in rows]
spam = np.array([[row["label"] == "spam"] for row in rows], "float32")
test, train = slice(0, 500), slice(500, None)
for row in rows[:4]:
    print(f"{row['label']}: {row['text'][:70]}…")

# %% [markdown]
# ## A set of words
# The simplest way: a list of the 1,500 most frequent words, and for each mail a row of
# ones and zeros that says which of them occur in it (**multi-hot**). The order of the
# words is lost. One unit is enough: it learns a weight for each word.

# %%
WORDS, LENGTH = 1500, 60
count = layers.TextVectorization(max_tokens=WORDS, output_mode="multi_hot")
count.adapt(texts[train])
hot = np.asarray(count(texts), "float32")
names = count.get_vocabulary()
accuracy = {}


def learn(name, model, x, epochs):
    model.compile(optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    live = vis.fit_callbacks(name, metrics=["accuracy", "val_accuracy"], callbacks=["on_epoch_end"], warn=False,
                             zoom_to_fit_accuracy=True, title=name)  # fmt: skip
    model.fit(x[train], spam[train], epochs=epochs, batch_size=50, validation_data=(x[test], spam[test]), verbose=0,
              callbacks=[live])  # fmt: skip
    accuracy[name] = live.epochs[-1]["val_accuracy"]
    print(f"{name}: {model.count_params():,} numbers learned, {accuracy[name]:.1%} of the test's mails correctly sorted")


bag = pyml.Sequential([pyml.Input((hot.shape[1],)), layers.Dense(1, activation="sigmoid")])
learn("Set of words", bag, hot, 8)

# %% [markdown]
# What has it learned? The words with the largest weights:

# %%
weights = bag.layers[-1].kernel.numpy()[:, 0]
order = np.argsort(weights)
print("for spam:", ", ".join(names[i] for i in order[::-1][:12]))
print("against spam:", ", ".join(names[i] for i in order[:12]))
shown = [*order[:8], *order[-8:]]
bars = {names[i]: float(weights[i]) for i in shown}
vis.bar_chart(bars, title="Words against spam, and for it", x_label="weight", horizontal=True).show()

# %% [markdown]
# ## Words as vectors
# An **embedding** gives each word a vector of its own, and learns it. Words that say
# the same about a mail come to lie beside each other. Here the vectors of a mail are
# averaged; the order of its words still does not matter.

# %%
number = layers.TextVectorization(max_tokens=WORDS, output_mode="int", output_sequence_length=LENGTH)
number.adapt(texts[train])
sequence = np.asarray(number(texts), "int32")
vectors = layers.Embedding(WORDS, 8)
average = pyml.Sequential([pyml.Input((LENGTH,), dtype="int32"), vectors, layers.GlobalAveragePooling1D(),
                           layers.Dense(1, activation="sigmoid")])  # fmt: skip
learn("Averaged vectors", average, sequence, 10)

# %% [markdown]
# The vectors have eight numbers. A **principal component analysis** turns them so that
# most of their differences lie along the first axis. For a question with a yes and a no
# one axis turns out to be enough.

# %%
frequent = np.arange(2, 302)
strong = np.array([weights[names.index(word)] if word in names else 0.0 for word in number.get_vocabulary()])[frequent]
kind = np.digitize(strong, [-0.2, 0.2])
vis.projector(vectors.embeddings.numpy()[frequent], labels=kind, class_names=["against spam", "neither", "for spam"],
              texts=[number.get_vocabulary()[i] for i in frequent], title="The vectors of 300 words: search for one").show()  # fmt: skip

# %% [markdown]
# ## The order of words
# A **one-dimensional convolution** slides over the mail and looks at five words at a
# time; of each of its filters the strongest answer counts. It can learn phrases. With
# so few mails it is hard for it to be better than the set of words.

# %%
reader = pyml.Sequential([pyml.Input((LENGTH,), dtype="int32"), layers.Embedding(WORDS, 16), layers.Dropout(0.3),
                          layers.Conv1D(16, 5, activation="relu"), layers.GlobalMaxPooling1D(), layers.Dropout(0.3),
                          layers.Dense(1, activation="sigmoid")])  # fmt: skip
learn("Convolution", reader, sequence, 6)

# %% [markdown]
# A **recurrent** network reads the mail word by word, as people do, and carries a memory
# along: an LSTM, here in both directions.

# %%
recurrent = pyml.Sequential([pyml.Input((LENGTH,), dtype="int32"), layers.Embedding(WORDS, 16, mask_zero=True),
                             layers.Bidirectional(layers.LSTM(12)), layers.Dropout(0.3), layers.Dense(1, "sigmoid")])  # fmt: skip
learn("LSTM", recurrent, sequence, 4)
best = max(accuracy.values())

# %%
wrong = {name: round(500 * (1 - share)) for name, share in accuracy.items()}
vis.bar_chart(wrong, title="Wrongly sorted of the 500 mails of the test", y_label="mails").show()

# %% [markdown]
# ## A mail of your own
# Write one; words that the networks do not know are passed over.


# %%
def sort(text):
    chances = {"set of words": bag.predict(np.asarray(count([text]), "float32"), verbose=0),
               "averaged vectors": average.predict(np.asarray(number([text]), "int32"), verbose=0),
               "convolution": reader.predict(np.asarray(number([text]), "int32"), verbose=0),
               "LSTM": recurrent.predict(np.asarray(number([text]), "int32"), verbose=0)}  # fmt: skip
    return "spam with a probability of " + ", ".join(f"{float(p[0, 0]):.0%} ({name})" for name, p in chances.items())


chapter.text("Mail", "free offer click here to save money on your order", sort)

# %% [markdown]
# ## Things to try
# - The words that speak against spam are names of mailing lists and of their members: it
#   learned who wrote, not what spam is. Take some out of the texts: how much is lost?
# - 200 words instead of 1,500; 10,000.
# - `layers.GRU(12)` or `layers.SimpleRNN(12)` in the LSTM's place; one direction only.
