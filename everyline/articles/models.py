"""Tables of articles.

An ``Article`` is one answer in all its languages. Its text in one language is a row of ``ArticleVersion`` for every time it
was published, and one more while somebody works on it. What readers see is copied into ``PublishedArticle``, which is all
that search and pages read. ``ArticleMeaning``, ``ArticleWord`` and ``search`` are made of it and can be made anew.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import REAL, BigInteger, Boolean, Date, ForeignKey, Integer, LargeBinary, SmallInteger, Text, func
from sqlalchemy import text as literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from everyline.ground.database import Base, Id, Moment

_NONE = literal("'{}'")


class Category(Base):
    """A place where articles stand; categories stand in one another."""

    __tablename__ = "category"

    id: Mapped[Id]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    slug: Mapped[str] = mapped_column(Text, unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSONB)  # by language
    remarks: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=_NONE)  # by language
    icon: Mapped[str] = mapped_column(Text, server_default="")
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class Article(Base):
    """One answer."""

    __tablename__ = "article"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(Text, server_default="answer")  # see rules.Kind
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    audience: Mapped[str] = mapped_column(Text, server_default="public")  # see rules.Audience
    language: Mapped[str] = mapped_column(Text)  # that it is written in first; the others are translations of it
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)
    products: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    review_days: Mapped[int | None] = mapped_column(Integer)  # a review falls due so many days after the last
    review_on: Mapped[date | None] = mapped_column(Date)
    reminded_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    archived_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    source: Mapped[str] = mapped_column(Text, server_default="")  # where an import took it from


class ArticleVersion(Base):
    """An article's text in one language, at one time."""

    __tablename__ = "article_version"

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default="draft")  # see rules.State
    title: Mapped[str] = mapped_column(Text, server_default="")
    summary: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text, server_default="")
    questions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)  # other ways in which it is asked
    wordings: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=_NONE)  # by kind, those that were written
    revision: Mapped[int] = mapped_column(Integer, server_default="1")  # grows with every write
    source_number: Mapped[int | None] = mapped_column(Integer)  # of the version that it translates
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now())
    remark: Mapped[str] = mapped_column(Text, server_default="")  # of who sent it back
    publish_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))


class PublishedArticle(Base):
    """What readers see."""

    __tablename__ = "published_article"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    slug: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, server_default="")
    text: Mapped[str] = mapped_column(Text)
    plain: Mapped[str] = mapped_column(Text)  # its words without signs
    questions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)
    wordings: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=_NONE)
    audience: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)
    products: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NONE)
    published_at: Mapped[Moment]  # for the first time
    updated_at: Mapped[Moment]
    source_number: Mapped[int | None] = mapped_column(Integer)
    views: Mapped[int] = mapped_column(Integer, server_default="0")
    renderer: Mapped[str] = mapped_column(Text, server_default="")  # what made the following, see rendering.renderer
    rendered: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_NONE)  # see rendering.packed
    search: Mapped[Any] = mapped_column(TSVECTOR)


class ArticleAddress(Base):
    """Under which name an article is or was found. Old ones stay, and lead to the current one."""

    __tablename__ = "article_address"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    current: Mapped[bool] = mapped_column(Boolean, server_default=literal("true"))
    since: Mapped[Moment] = mapped_column(server_default=func.now())


class ArticleFile(Base):
    """A picture, a clip, its captions, or a file to take along."""

    __tablename__ = "article_file"

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    file_hash: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    captions_of: Mapped[int | None] = mapped_column(ForeignKey("article_file.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text, server_default="")  # of captions
    added_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    added_at: Mapped[Moment] = mapped_column(server_default=func.now())
    removed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class ArticleFeedback(Base):
    """Whether an article helped, and what somebody said of it."""

    __tablename__ = "article_feedback"

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    helped: Mapped[bool] = mapped_column(Boolean)
    words: Mapped[str] = mapped_column(Text, server_default="")
    channel: Mapped[str] = mapped_column(Text, server_default="")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))


class ArticleDay(Base):
    """An article's figures of one day (in UTC), by channel."""

    __tablename__ = "article_day"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    views: Mapped[int] = mapped_column(Integer, server_default="0")
    helped: Mapped[int] = mapped_column(Integer, server_default="0")
    not_helped: Mapped[int] = mapped_column(Integer, server_default="0")
    deflected: Mapped[int] = mapped_column(Integer, server_default="0")  # read instead of writing to us
    used: Mapped[int] = mapped_column(Integer, server_default="0")  # given in an answer


class ArticleUse(Base):
    """An article that was given in an answer of a case."""

    __tablename__ = "article_use"

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(Text, server_default="")
    wording: Mapped[str] = mapped_column(Text, server_default="full")  # a kind of wording, or link
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    at: Mapped[Moment] = mapped_column(server_default=func.now())


class ArticleFlag(Base):
    """What an agent found wrong with an article."""

    __tablename__ = "article_flag"

    id: Mapped[Id]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[Moment] = mapped_column(server_default=func.now())
    settled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))


class ArticleSynonym(Base):
    """Words of one language that mean the same in this house."""

    __tablename__ = "article_synonym"

    id: Mapped[Id]
    language: Mapped[str] = mapped_column(Text)
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))


class ArticleWord(Base):
    """A word that published articles of a language hold: what a mistyped one may have meant, and how rare each is."""

    __tablename__ = "article_word"

    language: Mapped[str] = mapped_column(Text, primary_key=True)
    word: Mapped[str] = mapped_column(Text, primary_key=True)
    lexeme: Mapped[str] = mapped_column(Text)
    articles: Mapped[int] = mapped_column(Integer, server_default="1")


class GapGroup(Base):
    """Searches without a useful hit that mean the same. Its vector is written by statements alone."""

    __tablename__ = "gap_group"

    id: Mapped[Id]
    language: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)  # as it was asked first
    asked: Mapped[int] = mapped_column(Integer, server_default="0")
    first_at: Mapped[Moment] = mapped_column(server_default=func.now())
    last_at: Mapped[Moment] = mapped_column(server_default=func.now())
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id", ondelete="SET NULL"))  # that fills it
    settled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    model: Mapped[str] = mapped_column(Text, server_default="")


class Gap(Base):
    """One search without a useful hit."""

    __tablename__ = "gap"

    id: Mapped[Id]
    group_id: Mapped[int] = mapped_column(ForeignKey("gap_group.id", ondelete="CASCADE"))
    words: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default="")
    audience: Mapped[str] = mapped_column(Text, server_default="public")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    at: Mapped[Moment] = mapped_column(server_default=func.now())


class ArticleMeaning(Base):
    """What a part of a published article means, as a vector of one model. The vector is written by statements alone."""

    __tablename__ = "article_meaning"

    article_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    model: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # of what it was made of
    made_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ArticlePair(Base):
    """Two published articles that are much alike by their titles, their summaries or by meaning."""

    __tablename__ = "article_pair"

    language: Mapped[str] = mapped_column(Text, primary_key=True)
    article_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    other_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # the larger of the two
    likeness: Mapped[float] = mapped_column(REAL)  # 0 to 1
    contradict: Mapped[bool] = mapped_column(Boolean)  # they may say different things


class ArticleCompared(Base):
    """A published article as it was when it was compared with all others."""

    __tablename__ = "article_compared"

    article_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[Moment]
    meant_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))  # when its meaning had been made


class ArticleImport(Base):
    """Articles that are taken in from a file, piece by piece: what was asked for, and how far it is."""

    __tablename__ = "article_import"

    id: Mapped[Id]
    asked: Mapped[str] = mapped_column(Text, unique=True)  # the same for the same press of a button
    asked_at: Mapped[Moment] = mapped_column(server_default=func.now())
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    file_hash: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text, server_default="")  # of pieces that do not say theirs
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id", ondelete="SET NULL"))
    publish: Mapped[bool] = mapped_column(Boolean, server_default="false")
    pieces: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, server_default="0")  # of them, in the order of the file
    added: Mapped[int] = mapped_column(Integer, server_default="0")
    changed: Mapped[int] = mapped_column(Integer, server_default="0")
    same: Mapped[int] = mapped_column(Integer, server_default="0")
    refused: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=literal("'[]'"))  # source, line, fault
    tries: Mapped[int] = mapped_column(Integer, server_default="0")  # turns in a row without a piece done
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    fault: Mapped[str] = mapped_column(Text, server_default="")  # why it ended before its end
